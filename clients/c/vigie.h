// SPDX-License-Identifier: Apache-2.0
/// Sends what a model predicted, and later the labels, to `vigie serve`. C99 or C++, POSIX and threads, nothing else.
///
///     #define VIGIE_IMPLEMENTATION  // in one file of the program, before its other includes
///     #include "vigie.h"
///
///     vigie_client *client = vigie_open("http://127.0.0.1:8090", "credit", NULL);
///     vigie_record record;
///     vigie_begin(client, &record, "a1");
///     vigie_feature(&record, "age", 41);
///     vigie_feature_text(&record, "country", "FR");
///     vigie_text(&record, "prediction", "yes");
///     vigie_number(&record, "score", 0.81);
///     vigie_send(client, &record);
///     vigie_label(client, "a1", "no");
///     vigie_close(client, 2000, NULL);
///
/// A call copies the record into a ring of fixed size and returns; a thread of the client's own writes the JSON, sends
/// it in batches and repeats what was not answered. Callers wait neither for the service nor for each other (the ring
/// is lock-free), and nothing that goes wrong is told by anything but the counters. Where the ring is full, because
/// nobody answers or the network is too slow, new records are dropped and counted. A batch whose answer was lost is
/// sent again: by its ids the service counts it once. After fork() the child opens a client of its own; of one that it
/// inherited it may only call vigie_close. HTTP without TLS: put a local proxy between where the network is not yours.
#ifndef VIGIE_H
#define VIGIE_H

#if defined(VIGIE_IMPLEMENTATION) && !defined(_POSIX_C_SOURCE) && !defined(_GNU_SOURCE)
#define _POSIX_C_SOURCE 200809L
#endif

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vigie_client vigie_client;

/// What is 0 is as said here.
typedef struct vigie_options {
  const char* token;       ///< sent as `Authorization: Bearer …`; NULL: none
  size_t queue_bytes;      ///< of records that wait, rounded up to a power of two; 16 MiB
  size_t batch_bytes;      ///< of JSON in a request, about; 256 KiB
  unsigned batch_records;  ///< in a request, at most; 2000
  unsigned interval_ms;    ///< a record waits no longer for others; 500
  unsigned answer_ms;      ///< until the service must have answered; 10000
} vigie_options;

/// sent = accepted + duplicates + rejected + dropped + failed + waiting.
typedef struct vigie_counters {
  uint64_t sent;        ///< records of all calls
  uint64_t accepted;    ///< answered 202: they last
  uint64_t duplicates;  ///< the service had their ids already, as after an answer that was lost
  uint64_t rejected;    ///< refused by the service
  uint64_t dropped;     ///< for want of room, or not answered when the client was closed
  uint64_t failed;      ///< too large for a vigie_record, or for want of memory
  uint64_t waiting;     ///< not answered yet
  uint64_t retries;     ///< requests that were repeated
  char trouble[160];    ///< what went wrong last, "" for nothing
} vigie_counters;

/// Starts the thread; the service need not be there. NULL with errno: EINVAL (no http:// URL, no name of a model, a
/// token with control characters), ENOMEM, EAGAIN. All functions take NULL for a client and then do nothing.
vigie_client* vigie_open(const char* url, const char* model, const vigie_options* options);

/// A record that is JSON already, as in the README; `size` bytes, or 0 where a NUL ends it. It needs an "id"; where
/// the text "timestamp" in quotes is nowhere in it, it gets the time of the call. 1: it waits to be sent; 0: dropped.
int vigie_predict(vigie_client* client, const char* json, size_t size);

/// The label of a prediction, before or after it.
int vigie_label(vigie_client* client, const char* id, const char* label);
int vigie_label_number(vigie_client* client, const char* id, double label);

/// Until all that was sent before is answered, `ms` at most. 1: it is; what was rejected is answered too.
int vigie_flush(vigie_client* client, unsigned ms);

void vigie_count(vigie_client* client, vigie_counters* counters);

/// Sends what waits for up to `ms` and frees the client; no other call may be under way. `counters`, if not NULL, gets
/// the last state; what then was not answered is dropped.
void vigie_close(vigie_client* client, unsigned ms, vigie_counters* counters);

/// A prediction that is put together; a variable on the stack. What does not fit makes vigie_send count it as failed.
#ifndef VIGIE_RECORD_BYTES
#define VIGIE_RECORD_BYTES 8192
#endif
#define VIGIE_ID_BYTES 34
typedef struct vigie_record {
  uint32_t size, too_large;
  char made_id[VIGIE_ID_BYTES];
  char bytes[VIGIE_RECORD_BYTES];
} vigie_record;

int vigie_send(vigie_client* client, const vigie_record* record);

/// A new id, by which no other process knows another record; a string of less than VIGIE_ID_BYTES; its length.
size_t vigie_make_id(vigie_client* client, char* id);

// Inline in the caller: of a literal name the length is known there, and a few moves are all that is left.
__attribute__((always_inline)) static inline void vigie_put_(vigie_record* record, char what, const char* name,
                                                             size_t name_size, const void* value, size_t size) {
  const struct {
    char what, nothing;
    uint16_t name_size;
    uint32_t size;
  } head = {what, 0, (uint16_t)name_size, (uint32_t)size};
  if (name_size > UINT16_MAX || size > VIGIE_RECORD_BYTES ||
      record->size + sizeof head + name_size + size > VIGIE_RECORD_BYTES) {
    record->too_large = 1;
    return;
  }
  char* to = record->bytes + record->size;
  memcpy(to, &head, sizeof head);
  memcpy(to + sizeof head, name, name_size);
  if (size) memcpy(to + sizeof head + name_size, value, size);
  record->size += (uint32_t)(sizeof head + name_size + size);
}

/// What stands in the record itself: "prediction", "score", "version", "latency_ms", "trace_id", … NaN is null.
static inline void vigie_number(vigie_record* record, const char* key, double value) {
  vigie_put_(record, 'n', key, strlen(key), &value, sizeof value);
}

/// UTF-8; what is not is replaced. NULL is null.
static inline void vigie_text(vigie_record* record, const char* key, const char* value) {
  vigie_put_(record, value ? 't' : '0', key, strlen(key), value, value ? strlen(value) : 0);
}

static inline void vigie_feature(vigie_record* record, const char* name, double value) {
  vigie_put_(record, 'N', name, strlen(name), &value, sizeof value);
}

static inline void vigie_feature_text(vigie_record* record, const char* name, const char* value) {
  vigie_put_(record, value ? 'T' : 'Z', name, strlen(name), value, value ? strlen(value) : 0);
}

/// Empties the record. The id, made where it is NULL, is returned for the label, and lives as long as the record.
static inline const char* vigie_begin(vigie_client* client, vigie_record* record, const char* id) {
  record->size = record->too_large = 0;
  const size_t size = id ? strlen(id) : vigie_make_id(client, record->made_id);
  if (!id) id = record->made_id;
  vigie_put_(record, 't', "id", 2, id, size);
  return id;
}

#ifdef __cplusplus
}
#endif
#endif  // VIGIE_H

#if defined(VIGIE_IMPLEMENTATION) && !defined(VIGIE_IMPLEMENTED)
#define VIGIE_IMPLEMENTED

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#if !defined(CLOCK_REALTIME) || !defined(AI_ADDRCONFIG)
#error "vigie.h: with VIGIE_IMPLEMENTATION include it before other headers, or compile with -D_POSIX_C_SOURCE=200809L"
#endif
#ifdef MSG_NOSIGNAL
#define VIGIE_SEND_FLAGS MSG_NOSIGNAL
#else
#define VIGIE_SEND_FLAGS 0  // the thread has all signals blocked
#endif
#ifdef CLOCK_REALTIME_COARSE
#define VIGIE_CLOCK CLOCK_REALTIME_COARSE  // to a few ms, for a quarter of the cost
#else
#define VIGIE_CLOCK CLOCK_REALTIME
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum { VIGIE_JSON, VIGIE_PREDICTION, VIGIE_LABEL };
enum { VIGIE_RUNNING, VIGIE_OVER, VIGIE_ABANDONED };

// Of an entry of the ring, its bytes follow. It may reach beyond the ring's end, where there is room for one.
typedef struct vigie_entry {
  uint64_t mark;  // written last, its place xor the client's secret: what lay here before cannot be taken for it
  int64_t micros;
  uint32_t kind, size;
} vigie_entry;

typedef struct vigie_buffer {
  char* text;
  size_t size, room;
  unsigned records;
  int lacking;  // memory
} vigie_buffer;

struct vigie_client {
  // Written by callers.
  uint64_t tail, sent, dropped, failed, ids;
  char apart[64];
  // Written by the thread.
  uint64_t head;     // callers may write up to a ring's length from here
  uint64_t settled;  // what lies before is answered
  uint64_t accepted, duplicates, rejected, unwritable, retries;
  char trouble[160];
  int trouble_lock;
  // Of flush and close.
  uint64_t flush_to;
  int64_t end;  // ms; of vigie_close
  int hurry, state;
  // Constant.
  char* ring;
  uint64_t ring_size, largest, wake_every, secret;
  vigie_options options;
  int wake[2];
  pid_t owner;
  pthread_t thread;
  char *host, *port, *head_text[2];  // of the requests for predictions and for labels
  char id_start[18];
  // The thread's alone.
  int socket, used;
  vigie_buffer body[2], in;
};

#define VIGIE_GET(x) __atomic_load_n(&(x), __ATOMIC_ACQUIRE)
#define VIGIE_SET(x, value) __atomic_store_n(&(x), value, __ATOMIC_RELEASE)
#define VIGIE_ADD(x, n) __atomic_fetch_add(&(x), (uint64_t)(n), __ATOMIC_RELEASE)

static int64_t vigie_clock(clockid_t which, int64_t per_second) {
  struct timespec t;
  clock_gettime(which, &t);
  return (int64_t)t.tv_sec * per_second + t.tv_nsec / (1000000000 / per_second);
}

static int64_t vigie_now(void) {
  return vigie_clock(CLOCK_MONOTONIC, 1000);
}

static void vigie_pause(void) {
  const struct timespec ms = {0, 1000000};
  nanosleep(&ms, NULL);
}

static void vigie_wake(vigie_client* c) {
  const int kept = errno;
  if (write(c->wake[1], "", 1) < 0) errno = kept;  // full: it is awake
}

// What callers do.

static uint64_t vigie_room(uint64_t size) {
  return (sizeof(vigie_entry) + size + 7) & ~(uint64_t)7;
}

static vigie_entry* vigie_entry_at(vigie_client* c, uint64_t at) {
  return (vigie_entry*)(void*)(c->ring + (at & (c->ring_size - 1)));
}

static int vigie_enqueue(vigie_client* c, uint32_t kind, const char* bytes, size_t size) {
  const uint64_t room = vigie_room(size);
  uint64_t at = __atomic_load_n(&c->tail, __ATOMIC_RELAXED);
  VIGIE_ADD(c->sent, 1);
  do {
    // Negative where others have moved the tail meanwhile: the exchange fails then.
    if (room > c->largest || (int64_t)(at + room - VIGIE_GET(c->head)) > (int64_t)c->ring_size) {
      VIGIE_ADD(c->dropped, 1);
      return 0;
    }
  } while (!__atomic_compare_exchange_n(&c->tail, &at, at + room, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  vigie_entry* entry = vigie_entry_at(c, at);
  entry->kind = kind;
  entry->size = (uint32_t)size;
  entry->micros = vigie_clock(VIGIE_CLOCK, 1000000);
  memcpy(entry + 1, bytes, size);
  VIGIE_SET(entry->mark, at ^ c->secret);
  // What the next calls but two will write, or the processor would wait for it then: a third of the cost.
  const char* next = (const char*)vigie_entry_at(c, at + 3 * room);
  for (uint64_t i = 0; i < room && i < 1024; i += 64) __builtin_prefetch(next + i, 1);
  if ((at ^ (at + room)) & ~(c->wake_every - 1)) vigie_wake(c);
  return 1;
}

int vigie_predict(vigie_client* c, const char* json, size_t size) {
  return c && json ? vigie_enqueue(c, VIGIE_JSON, json, size ? size : strlen(json)) : 0;
}

static int vigie_send_as(vigie_client* c, uint32_t kind, const vigie_record* record) {
  if (!c) return 0;
  if (!record->too_large) return vigie_enqueue(c, kind, record->bytes, record->size);
  VIGIE_ADD(c->sent, 1);
  VIGIE_ADD(c->failed, 1);
  return 0;
}

int vigie_send(vigie_client* c, const vigie_record* record) {
  return vigie_send_as(c, VIGIE_PREDICTION, record);
}

int vigie_label(vigie_client* c, const char* id, const char* label) {
  vigie_record record;
  record.size = record.too_large = 0;
  vigie_text(&record, "id", id);
  vigie_text(&record, "label", label);
  return vigie_send_as(c, VIGIE_LABEL, &record);
}

int vigie_label_number(vigie_client* c, const char* id, double label) {
  vigie_record record;
  record.size = record.too_large = 0;
  vigie_text(&record, "id", id);
  vigie_number(&record, "label", label);
  return vigie_send_as(c, VIGIE_LABEL, &record);
}

size_t vigie_make_id(vigie_client* c, char* id) {
  size_t n = sizeof c->id_start - 1;
  id[0] = '\0';
  if (!c) return 0;
  memcpy(id, c->id_start, n);
  for (uint64_t i = VIGIE_ADD(c->ids, 1), more = 1; more; i >>= 4, more = i) id[n++] = "0123456789abcdef"[i & 15];
  id[n] = '\0';
  return n;
}

void vigie_count(vigie_client* c, vigie_counters* out) {
  memset(out, 0, sizeof *out);
  if (!c) return;
  out->accepted = VIGIE_GET(c->accepted);
  out->duplicates = VIGIE_GET(c->duplicates);
  out->rejected = VIGIE_GET(c->rejected);
  out->dropped = VIGIE_GET(c->dropped);
  out->failed = VIGIE_GET(c->failed) + VIGIE_GET(c->unwritable);
  out->retries = VIGIE_GET(c->retries);
  out->sent = VIGIE_GET(c->sent);  // last: never less than the sum
  out->waiting = out->sent - out->accepted - out->duplicates - out->rejected - out->dropped - out->failed;
  while (__atomic_exchange_n(&c->trouble_lock, 1, __ATOMIC_ACQUIRE)) vigie_pause();
  memcpy(out->trouble, c->trouble, sizeof out->trouble);
  VIGIE_SET(c->trouble_lock, 0);
}

// What the thread does: JSON, HTTP, and the way from the ring to the service.

static void vigie_add(vigie_buffer* b, const char* text, size_t size) {
  if (b->size + size + 1 > b->room) {
    const size_t room = 2 * (b->size + size) + 4096;
    char* more = (char*)realloc(b->text, room);
    if (!more) {
      b->lacking = 1;
      return;
    }
    b->text = more, b->room = room;
  }
  memcpy(b->text + b->size, text, size);
  b->size += size;
  b->text[b->size] = '\0';
}

static void vigie_add_integer(vigie_buffer* b, int64_t value) {
  char digits[24], *p = digits + sizeof digits;
  uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  do *--p = (char)('0' + left % 10);
  while (left /= 10);
  if (value < 0) *--p = '-';
  vigie_add(b, p, (size_t)(digits + sizeof digits - p));
}

// The shortest text that reads as the number where six decimals are enough; else 17 digits, or 15 if they are enough.
static void vigie_add_number(vigie_buffer* b, double value) {
  char text[40];
  if (value - value != 0) {
    vigie_add(b, "null", 4);
  } else if (value > -1e9 && value < 1e9 && (double)(int64_t)(value * 1e6 + (value < 0 ? -0.5 : 0.5)) / 1e6 == value) {
    const int64_t millionths = (int64_t)(value * 1e6 + (value < 0 ? -0.5 : 0.5));
    uint64_t rest = (uint64_t)(millionths < 0 ? -millionths : millionths) % 1000000;
    if (millionths < 0) vigie_add(b, "-", 1);
    vigie_add_integer(b, (millionths < 0 ? -millionths : millionths) / 1000000);
    int n = 0;
    for (text[n++] = '.'; rest; rest = rest * 10 % 1000000) text[n++] = (char)('0' + rest / 100000);
    if (n > 1) vigie_add(b, text, (size_t)n);
  } else {
    snprintf(text, sizeof text, "%.15g", value);
    if (strtod(text, NULL) != value) snprintf(text, sizeof text, "%.17g", value);
    for (char* p = text; *p; ++p)
      if (!strchr("0123456789+-e", *p)) *p = '.';  // some locales have a comma
    vigie_add(b, text, strlen(text));
  }
}

// Bytes of the UTF-8 character at p, 0 for none.
static size_t vigie_utf8(const unsigned char* p, size_t left) {
  const size_t n = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;
  if (n == 0 || n > left) return 0;
  for (size_t i = 1; i < n; ++i)
    if ((p[i] & 0xc0) != 0x80) return 0;
  if (n > 2 && ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
                (p[0] == 0xf4 && p[1] > 0x8f)))
    return 0;
  return n;
}

static void vigie_add_string(vigie_buffer* b, const char* text, size_t size) {
  vigie_add(b, "\"", 1);
  size_t from = 0;
  for (size_t i = 0; i < size;) {
    const unsigned char c = (unsigned char)text[i];
    const size_t n = vigie_utf8((const unsigned char*)text + i, size - i);
    if (n && c >= 0x20 && c != '"' && c != '\\') {
      i += n;
      continue;
    }
    char escape[8] = "\\ufffd";
    if (n) snprintf(escape, sizeof escape, c < 0x20 ? "\\u%04x" : "\\%c", (unsigned)c);
    vigie_add(b, text + from, i - from);
    vigie_add(b, escape, strlen(escape));
    from = ++i;
  }
  vigie_add(b, text + from, size - from);
  vigie_add(b, "\"", 1);
}

// The fields of the record itself, or its features. Whether one is called `sought`.
static int vigie_add_fields(vigie_buffer* b, const char* bytes, size_t size, int features, const char* sought) {
  int found = 0, some = 0;
  for (const char* p = bytes; p < bytes + size;) {
    uint16_t name_size;
    uint32_t value_size;
    memcpy(&name_size, p + 2, sizeof name_size);
    memcpy(&value_size, p + 4, sizeof value_size);
    const char *name = p + 8, *value = name + name_size, what = *p;
    p = value + value_size;
    if ((what == 'N' || what == 'T' || what == 'Z') != features) continue;
    found |= name_size == strlen(sought) && !memcmp(name, sought, name_size);
    if (some++) vigie_add(b, ",", 1);
    vigie_add_string(b, name, name_size);
    vigie_add(b, ":", 1);
    if (what == 'n' || what == 'N') {
      double number;
      memcpy(&number, value, sizeof number);
      vigie_add_number(b, number);
    } else if (what == 't' || what == 'T') {
      vigie_add_string(b, value, value_size);
    } else {
      vigie_add(b, "null", 4);
    }
  }
  return found;
}

static int vigie_has(const char* text, size_t size, const char* sought) {
  const size_t n = strlen(sought);
  for (const char *p = text, *end = text + size; (p = (const char*)memchr(p, *sought, (size_t)(end - p))); ++p) {
    if ((size_t)(end - p) < n) return 0;
    if (!memcmp(p, sought, n)) return 1;
  }
  return 0;
}

static void vigie_add_record(vigie_client* c, const vigie_entry* entry) {
  vigie_buffer* b = &c->body[entry->kind == VIGIE_LABEL];
  const char* bytes = (const char*)(entry + 1);
  const size_t from = b->size;
  if (entry->kind == VIGIE_JSON) {
    size_t skip = 0;
    if (entry->size && *bytes == '{' && !vigie_has(bytes, entry->size, "\"timestamp\"")) {
      vigie_add(b, "{\"timestamp\":", 13);
      vigie_add_integer(b, entry->micros);
      vigie_add(b, ",", 1);
      skip = 1;
    }
    vigie_add(b, bytes + skip, entry->size - skip);
    for (char* p = b->text + from; !b->lacking && (p = (char*)memchr(p, '\n', b->size - (size_t)(p - b->text)));)
      *p = ' ';  // outside of strings, if it is JSON
  } else {
    vigie_add(b, "{", 1);
    if (!vigie_add_fields(b, bytes, entry->size, 0, "timestamp")) {
      vigie_add(b, ",\"timestamp\":", 13);
      vigie_add_integer(b, entry->micros);
    }
    if (entry->kind == VIGIE_PREDICTION) {
      vigie_add(b, ",\"features\":{", 13);
      vigie_add_fields(b, bytes, entry->size, 1, "");
      vigie_add(b, "}", 1);
    }
    vigie_add(b, "}", 1);
  }
  vigie_add(b, "\n", 1);
  if (b->lacking) {
    b->lacking = 0, b->size = from;
    VIGIE_ADD(c->unwritable, 1);
  } else {
    ++b->records;
  }
}

static void vigie_trouble(vigie_client* c, const char* what, const char* more, size_t more_size) {
  while (__atomic_exchange_n(&c->trouble_lock, 1, __ATOMIC_ACQUIRE)) vigie_pause();
  snprintf(c->trouble, sizeof c->trouble, "%s%.*s", what, (int)(more_size < 140 ? more_size : 140), more);
  VIGIE_SET(c->trouble_lock, 0);
}

// Until the socket is ready or, without one, somebody wakes the thread: 1. 0: `until` or the client's end has come.
static int vigie_wait(vigie_client* c, int fd, short events, int64_t until) {
  for (;;) {
    const int64_t end = VIGIE_GET(c->end), left = (end < until ? end : until) - vigie_now();
    if (left <= 0) return 0;
    struct pollfd on[2];
    on[0].fd = c->wake[0], on[0].events = POLLIN, on[0].revents = 0;
    on[1].fd = fd, on[1].events = events, on[1].revents = 0;
    if (poll(on, 2, (int)(left < 60000 ? left : 60000)) < 0 && errno != EINTR) return 0;
    char rest[64];
    if (on[0].revents)
      while (read(c->wake[0], rest, sizeof rest) == (ssize_t)sizeof rest) {
      }
    if (on[1].revents || (fd < 0 && on[0].revents)) return 1;
  }
}

static void vigie_disconnect(vigie_client* c) {
  if (c->socket >= 0) close(c->socket);
  c->socket = -1;
}

static int vigie_nonblocking(int fd) {
  return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

static int vigie_connect(vigie_client* c, int64_t until) {
  struct addrinfo hints, *all = NULL;
  memset(&hints, 0, sizeof hints);
  hints.ai_socktype = SOCK_STREAM;
  const int unknown = getaddrinfo(c->host, c->port, &hints, &all);
  if (unknown) {
    vigie_trouble(c, "cannot connect: ", gai_strerror(unknown), 100);
    return 0;
  }
  int error = ETIMEDOUT;
  for (struct addrinfo* a = all; a && c->socket < 0; a = a->ai_next) {
    socklen_t size = sizeof error;
    const int yes = 1;
    c->socket = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
    if (c->socket < 0 || !vigie_nonblocking(c->socket)) {
      error = errno;
    } else if (connect(c->socket, a->ai_addr, a->ai_addrlen) == 0) {
      error = 0;
    } else if (errno != EINPROGRESS) {
      error = errno;
    } else if (!vigie_wait(c, c->socket, POLLOUT, until)) {
      error = ETIMEDOUT;
    } else if (getsockopt(c->socket, SOL_SOCKET, SO_ERROR, &error, &size) < 0) {
      error = errno;
    }
    if (error)
      vigie_disconnect(c);
    else
      setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  }
  freeaddrinfo(all);
  if (c->socket < 0) vigie_trouble(c, "cannot connect: ", strerror(error), 100);
  c->used = 0;
  return c->socket >= 0;
}

static void vigie_write(vigie_client* c, const char* text, size_t size, int64_t until) {
  while (size > 0) {
    const ssize_t n = send(c->socket, text, size, VIGIE_SEND_FLAGS);
    if (n > 0)
      text += n, size -= (size_t)n;
    else if (n < 0 && errno != EINTR &&
             !((errno == EAGAIN || errno == EWOULDBLOCK) && vigie_wait(c, c->socket, POLLOUT, until)))
      return;  // perhaps there is an answer all the same
  }
}

// More of the answer: 1. 0: closed, broken, too long, or in time there was none.
static int vigie_read(vigie_client* c, int64_t until) {
  char piece[16384];
  while (c->in.size < (4u << 20) && vigie_wait(c, c->socket, POLLIN, until)) {
    const ssize_t n = recv(c->socket, piece, sizeof piece, 0);
    if (n > 0) vigie_add(&c->in, piece, (size_t)n);
    if (n > 0 || n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) return n > 0 && !c->in.lacking;
  }
  return 0;
}

// Offset behind the next \r\n\r\n or \r\n, 0 where it does not come.
static size_t vigie_read_to(vigie_client* c, size_t from, const char* mark, int64_t until) {
  for (;;) {
    const char* found = c->in.size > from ? strstr(c->in.text + from, mark) : NULL;
    if (found) return (size_t)(found - c->in.text) + strlen(mark);
    if (!vigie_read(c, until)) return 0;
  }
}

static const char* vigie_header(const char* head, const char* name) {
  const size_t n = strlen(name);
  for (const char* line = strchr(head, '\n'); line; line = strchr(line, '\n'))
    if (!strncasecmp(++line, name, n)) return line + n + strspn(line + n, " \t");
  return NULL;
}

// The chunks of the body that starts there are moved together; its end, 0 where it is not whole.
static size_t vigie_read_chunks(vigie_client* c, size_t body, int64_t until) {
  for (size_t from = body, end = body, size;; from += size + 2) {
    const size_t start = vigie_read_to(c, from, "\r\n", until);
    if (!start) return 0;
    size = strtoul(c->in.text + from, NULL, 16);
    if (size > (4u << 20)) return 0;
    while (c->in.size < start + size + 2)
      if (!vigie_read(c, until)) return 0;
    if (size == 0) return c->in.text[end] = '\0', end;  // trailers are not expected
    memmove(c->in.text + end, c->in.text + start, size);
    end += size, from = start;
  }
}

// One attempt: the status, 0 where nobody answered. The answer's body is then at `*answer`, a string.
static int vigie_exchange(vigie_client* c, int labels, const char* text, size_t size, const char** answer, long* wait) {
  const int64_t until = vigie_now() + c->options.answer_ms;
  if (c->socket < 0 && !vigie_connect(c, until)) return 0;
  char length[64];
  snprintf(length, sizeof length, "%zu\r\n\r\n", size);
  c->in.size = 0, c->in.lacking = 0;
  vigie_write(c, c->head_text[labels], strlen(c->head_text[labels]), until);
  vigie_write(c, length, strlen(length), until);
  vigie_write(c, text, size, until);
  size_t start = 0, body = 0, end = 0;
  int status = 0;
  while (status / 100 == 1 || status == 0) {
    start = body;
    body = vigie_read_to(c, start, "\r\n\r\n", until);
    if (!body || strncmp(c->in.text + start, "HTTP/1.", 7) || strlen(c->in.text + start) < 12) break;
    status = atoi(c->in.text + start + 9);
    if (status < 100) break;
  }
  if (body && status >= 200) {
    c->in.text[body - 1] = '\0';
    const char *head = c->in.text + start, *length_text = vigie_header(head, "content-length:");
    const char *coding = vigie_header(head, "transfer-encoding:"), *keep = vigie_header(head, "connection:");
    const char* after = vigie_header(head, "retry-after:");
    int closes = keep && !strncasecmp(keep, "close", 5);
    *wait = after ? atol(after) : 0;
    if (coding && !strncasecmp(coding, "chunked", 7)) {
      end = vigie_read_chunks(c, body, until);
    } else if (length_text || status == 204) {
      end = body + (length_text ? strtoul(length_text, NULL, 10) : 0);
      while (end && c->in.size < end)
        if (!vigie_read(c, until)) end = 0;
      closes |= c->in.size > end;
    } else {
      while (vigie_read(c, until)) {
      }
      end = c->in.size, closes = 1;
    }
    c->used = 1;
    *answer = c->in.text + body;
    if (closes || !end) vigie_disconnect(c);
    if (end) return status;
  }
  // A kept connection may have been closed as the request went out: that is no trouble.
  const int stale = c->used && c->in.size == 0 && vigie_now() < until;
  vigie_disconnect(c);
  c->used = 0;
  if (stale && vigie_now() < VIGIE_GET(c->end)) return vigie_exchange(c, labels, text, size, answer, wait);
  vigie_trouble(c, "no answer, or none that is HTTP", "", 0);
  return 0;
}

// What follows `"key":`, NULL where it is not there. Within a string its quotes would be escaped.
static const char* vigie_value(const char* json, const char* key) {
  for (const char* found = strstr(json, key); found; found = strstr(found + 1, key)) {
    const char* colon = found + strlen(key) + strspn(found + strlen(key), " \t\r\n");
    if (*colon == ':') return colon + 1 + strspn(colon + 1, " \t\r\n");
  }
  return NULL;
}

static int64_t vigie_number_of(const char* json, const char* key) {
  const char* found = vigie_value(json, key);
  return found ? (int64_t)strtoll(found, NULL, 10) : -1;
}

static void vigie_say_error(vigie_client* c, int status, const char* answer) {
  char what[40], said[120];
  const char* error = vigie_value(answer, "\"error\"");
  size_t n = 0;
  if (error && *error == '"')
    for (++error; *error && *error != '"' && n < sizeof said; ++error)
      if (*error != '\\' || *++error) said[n++] = *error;
  snprintf(what, sizeof what, "answered %d%s", status, n ? ": " : "");
  vigie_trouble(c, what, said, n);
}

// Until the records are answered or the client's end has come.
static void vigie_deliver(vigie_client* c, int labels, const char* text, size_t size, unsigned records) {
  int64_t pause = 100;
  while (vigie_now() < VIGIE_GET(c->end)) {
    const char* answer = "";
    long asked = 0;
    const int status = vigie_exchange(c, labels, text, size, &answer, &asked);
    const int64_t accepted = vigie_number_of(answer, "\"accepted\"");
    const int64_t duplicates = vigie_number_of(answer, "\"duplicates\"");
    if (status / 100 == 2 && accepted >= 0 && duplicates >= 0 && accepted + duplicates <= (int64_t)records) {
      VIGIE_ADD(c->accepted, accepted);
      VIGIE_ADD(c->duplicates, duplicates);
      VIGIE_ADD(c->rejected, records - accepted - duplicates);
      if (accepted + duplicates < (int64_t)records) vigie_say_error(c, status, answer);
      return;
    }
    if (status) vigie_say_error(c, status, answer);
    if (status == 413 && records > 1) {  // a proxy allows less: in two halves
      const char* half = text;
      for (unsigned i = 0; i < records / 2; ++i)
        half = (const char*)memchr(half, '\n', size - (size_t)(half - text)) + 1;
      vigie_deliver(c, labels, text, (size_t)(half - text), records / 2);
      vigie_deliver(c, labels, half, size - (size_t)(half - text), records - records / 2);
      return;
    }
    if (status && status != 408 && status != 429 && status < 500) {
      VIGIE_ADD(c->rejected, records);
      return;
    }
    VIGIE_ADD(c->retries, 1);
    // By the pointer's and the clock's low bits clients do not all come back at once.
    const int64_t spread = (int64_t)(((uintptr_t)c >> 6) + (uintptr_t)vigie_clock(CLOCK_MONOTONIC, 1000000)) % 128;
    const int64_t told = asked < 0 ? 0 : asked < 60 ? asked * 1000 : 60000;
    const int64_t until = vigie_now() + (told > pause ? told : pause) * (128 + spread) / 128;
    while (!__atomic_exchange_n(&c->hurry, 0, __ATOMIC_ACQ_REL) && vigie_wait(c, -1, 0, until)) {
    }
    pause = pause < 5000 ? 2 * pause : 10000;
  }
}

// Takes a batch from the ring and delivers it. Where it stopped: at `until`, or where a caller is still writing.
static uint64_t vigie_batch(vigie_client* c, uint64_t head, uint64_t until) {
  for (int i = 0; i < 2; ++i) c->body[i].size = c->body[i].records = 0;
  while (head < until && c->body[0].size + c->body[1].size < c->options.batch_bytes &&
         c->body[0].records + c->body[1].records < c->options.batch_records) {
    const vigie_entry* entry = vigie_entry_at(c, head);
    if (VIGIE_GET(entry->mark) != (head ^ c->secret)) break;
    vigie_add_record(c, entry);
    head += vigie_room(entry->size);
  }
  VIGIE_SET(c->head, head);
  for (int i = 0; i < 2; ++i)
    if (c->body[i].records) vigie_deliver(c, i, c->body[i].text, c->body[i].size, c->body[i].records);
  VIGIE_SET(c->settled, head);
  return head;
}

static void vigie_free(vigie_client* c) {
  vigie_disconnect(c);
  for (int i = 0; i < 2; ++i) {
    if (c->wake[i] >= 0) close(c->wake[i]);
    free(c->body[i].text);
    free(c->head_text[i]);
  }
  free(c->in.text);
  free(c->host);
  free(c->port);
  free(c->ring);
  free(c);
}

static void* vigie_run(void* client) {
  vigie_client* c = (vigie_client*)client;
  for (uint64_t head = 0;;) {
    const int64_t due = vigie_now() + c->options.interval_ms;
    while (VIGIE_GET(c->flush_to) <= head && VIGIE_GET(c->tail) - head < c->wake_every && vigie_wait(c, -1, 0, due)) {
    }
    const int closing = VIGIE_GET(c->end) != INT64_MAX;
    const uint64_t until = VIGIE_GET(c->tail);
    uint64_t before = head;
    do before = head, head = vigie_batch(c, head, until);
    while (head < until && head > before && vigie_now() < VIGIE_GET(c->end));
    if (closing) break;  // what is left never was written whole, or is too late
    if (head < until) vigie_pause();
  }
  if (__atomic_exchange_n(&c->state, VIGIE_OVER, __ATOMIC_ACQ_REL) == VIGIE_ABANDONED) vigie_free(c);
  return NULL;
}

int vigie_flush(vigie_client* c, unsigned ms) {
  if (!c) return 1;
  const uint64_t to = VIGIE_GET(c->tail);
  const int64_t until = vigie_now() + ms;
  VIGIE_SET(c->flush_to, to);
  VIGIE_SET(c->hurry, 1);
  vigie_wake(c);
  while (VIGIE_GET(c->settled) < to && vigie_now() < until) vigie_pause();
  return VIGIE_GET(c->settled) >= to;
}

void vigie_close(vigie_client* c, unsigned ms, vigie_counters* counters) {
  if (counters) vigie_count(c, counters);
  if (!c) return;
  if (c->owner != getpid()) {  // the thread is the parent's
    vigie_free(c);
    return;
  }
  const int64_t until = vigie_now() + ms;
  VIGIE_SET(c->end, until);
  VIGIE_SET(c->hurry, 1);
  vigie_wake(c);
  // Looking up a host's name is all that the thread does not leave off in time.
  while (VIGIE_GET(c->state) == VIGIE_RUNNING && vigie_now() < until + 100) vigie_pause();
  if (counters) {
    vigie_count(c, counters);
    counters->dropped += counters->waiting;
    counters->waiting = 0;
  }
  const pthread_t thread = c->thread;
  if (__atomic_exchange_n(&c->state, VIGIE_ABANDONED, __ATOMIC_ACQ_REL) == VIGIE_OVER) {
    pthread_join(thread, NULL);
    vigie_free(c);
  } else {
    pthread_detach(thread);
  }
}

static char* vigie_copy(const char* text, size_t size) {
  char* out = (char*)malloc(size + 1);
  if (out) memcpy(out, text, size), out[size] = '\0';
  return out;
}

static int vigie_is_plain(const char* text) {
  for (; *text; ++text)
    if ((unsigned char)*text <= ' ' || *text == 0x7f) return 0;
  return 1;
}

// The address and the heads of the requests. 0 with errno.
static int vigie_address(vigie_client* c, const char* url, const char* model, const char* token) {
  static const char kinds[2][12] = {"predictions", "labels"};
  errno = EINVAL;
  if (!url || strncmp(url, "http://", 7) || !vigie_is_plain(url) || !model || !*model || strlen(model) > 200 ||
      (token && !vigie_is_plain(token)))
    return 0;
  const char* place = url + 7;
  const size_t place_size = strcspn(place, "/?#");
  size_t path_size = strlen(place + place_size);
  const char *host = place, *host_end = place + place_size, *port = NULL;
  if (*host == '[') {
    const char* bracket = (const char*)memchr(host, ']', place_size);
    if (!bracket) return 0;
    port = bracket + 1, host_end = bracket, ++host;
    if (port < place + place_size && *port != ':') return 0;
  } else if ((port = (const char*)memchr(host, ':', place_size))) {
    host_end = port;
  }
  if (host == host_end || memchr(place, '@', place_size) || strpbrk(place + place_size, "?#")) return 0;
  const int has_port = port && port < place + place_size;
  const size_t port_size = has_port ? (size_t)(place + place_size - port - 1) : 0;
  if (has_port && (port_size < 1 || port_size > 5 || strspn(port + 1, "0123456789") != port_size)) return 0;
  while (path_size && place[place_size + path_size - 1] == '/') --path_size;
  char name[3 * 200 + 1];
  size_t n = 0;
  for (const char* p = model; *p; ++p) {
    const int plain = strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~", *p) != NULL;
    n += (size_t)snprintf(name + n, sizeof name - n, plain ? "%c" : "%%%02X", (unsigned)(unsigned char)*p);
  }
  errno = ENOMEM;
  c->host = vigie_copy(host, (size_t)(host_end - host));
  c->port = vigie_copy(has_port ? port + 1 : "80", has_port ? port_size : 2);
  for (int i = 0; i < 2; ++i) {
    const size_t room = 300 + n + path_size + place_size + (token ? strlen(token) : 0);
    if (!(c->head_text[i] = (char*)malloc(room))) return 0;
    snprintf(c->head_text[i], room,
             "POST %.*s/v1/models/%s/%s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: vigie-c\r\n%s%s%s"
             "Content-Type: application/x-ndjson\r\nContent-Length: ",
             (int)path_size, place + place_size, name, kinds[i], (int)place_size, place,
             token ? "Authorization: Bearer " : "", token ? token : "", token ? "\r\n" : "");
  }
  return c->host && c->port;
}

static void vigie_start_ids(vigie_client* c) {
  uint64_t seeds[2] = {(uint64_t)vigie_clock(CLOCK_REALTIME, 1000000000), (uintptr_t)c};
  uint64_t random[2] = {(uint64_t)getpid() << 40, 0};
  const int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  if (fd >= 0 && read(fd, random, sizeof random) < 0) random[1] = 1;
  if (fd >= 0) close(fd);
  c->secret = seeds[0] ^ random[0] ^ 1;
  snprintf(c->id_start, sizeof c->id_start, "%016llx-", (unsigned long long)(seeds[1] ^ random[1]));
}

vigie_client* vigie_open(const char* url, const char* model, const vigie_options* options) {
  vigie_client* c = (vigie_client*)calloc(1, sizeof *c);
  if (!c) return NULL;
  c->wake[0] = c->wake[1] = c->socket = -1;
  if (options) c->options = *options;
  const vigie_options fallback = {NULL, 16u << 20, 256u << 10, 2000, 500, 10000};
#define VIGIE_OPTION(x) \
  if (!c->options.x) c->options.x = fallback.x
  VIGIE_OPTION(queue_bytes);
  VIGIE_OPTION(batch_bytes);
  VIGIE_OPTION(batch_records);
  VIGIE_OPTION(interval_ms);
  VIGIE_OPTION(answer_ms);
#undef VIGIE_OPTION
  c->ring_size = 4096;
  while (c->ring_size < c->options.queue_bytes && c->ring_size < SIZE_MAX / 4) c->ring_size *= 2;
  c->largest = c->ring_size / 8;
  c->wake_every = c->ring_size / 4;
  while (c->wake_every > 1024 && c->wake_every > c->options.batch_bytes) c->wake_every /= 2;
  c->end = INT64_MAX;
  c->owner = getpid();
  sigset_t all, before;
  int error = ENOMEM;
  if (!vigie_address(c, url, model, c->options.token) ||
      !(c->ring = (char*)malloc((size_t)(c->ring_size + c->largest))) || pipe(c->wake) < 0 ||
      !vigie_nonblocking(c->wake[0]) || !vigie_nonblocking(c->wake[1])) {
    error = errno;
  } else {
    c->options.token = NULL;  // it is the caller's
    vigie_start_ids(c);
    memset(c->ring, 0, (size_t)(c->ring_size + c->largest));  // now, lest callers wait for pages
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);  // the program's signals are none of the thread's business
    error = pthread_create(&c->thread, NULL, vigie_run, c);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
  }
  if (!error) return c;
  vigie_free(c);
  errno = error;
  return NULL;
}

#ifdef __cplusplus
}
#endif
#endif  // VIGIE_IMPLEMENTATION
