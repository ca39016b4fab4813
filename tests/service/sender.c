// SPDX-License-Identifier: Apache-2.0
// What tests/service/clients.py has sent by the C client, compiled as C99 and as C++17; sender.py is its like.
// usage: sender URL MODEL ROWS THREADS QUEUE_BYTES PAUSE_US     ROWS odd: the records of clients.py's test of values
// Says "called" once all calls have returned, waits for a line "MS", closes within that time, and says the counters.
#define VIGIE_IMPLEMENTATION
#include "vigie.h"

#include <inttypes.h>
#include <locale.h>
#include <math.h>

static vigie_client *client;
static int rows, pause_us;

static void *send_rows(void *number) {
  const int thread = (int)(intptr_t)number;
  const struct timespec pause = {0, 1000L * pause_us};
  for (int i = 0; i < rows; ++i) {
    char id[32], json[128];
    snprintf(id, sizeof id, "%d-%d", thread, i);
    if (i % 2) {
      vigie_record record;
      vigie_begin(client, &record, id);
      vigie_feature(&record, "x", i);
      vigie_text(&record, "prediction", "yes");
      vigie_send(client, &record);
    } else {
      snprintf(json, sizeof json, "{\"id\": \"%s\", \"features\": {\"x\": %d}, \"prediction\": \"yes\"}", id, i);
      vigie_predict(client, json, 0);
    }
    vigie_label(client, id, i % 3 ? "yes" : "no");
    if (pause_us) nanosleep(&pause, NULL);
  }
  return NULL;
}

static void send_odd(void) {
  vigie_record record;
  vigie_begin(client, &record, "odd");
  vigie_number(&record, "timestamp", 1.8e9);
  vigie_text(&record, "prediction", "a\"b\\c\n\x01\xc3\xa9");
  vigie_number(&record, "score", NAN);
  vigie_feature(&record, "count", 41);
  vigie_feature(&record, "half", -0.5);
  vigie_feature(&record, "price", 1234.56);
  vigie_feature(&record, "third", 1.0 / 3);
  vigie_feature(&record, "tiny", 1e-7);
  vigie_feature(&record, "large", 1e300);
  vigie_feature(&record, "endless", -INFINITY);
  vigie_feature_text(&record, "none", NULL);
  vigie_feature_text(&record, "latin \xe9", "\xc0\xafx\xed\xa0\x80");
  vigie_send(client, &record);
  vigie_predict(client, "{\"id\": \"lines\",\n \"timestamp\": 1800000000}", 0);
  const char *id = vigie_begin(client, &record, NULL);
  vigie_number(&record, "timestamp", 1.8e9);
  vigie_send(client, &record);
  vigie_label_number(client, id, 1.5);
  vigie_label(client, "none", NULL);
  static char long_text[VIGIE_RECORD_BYTES + 1];
  memset(long_text, 'x', sizeof long_text - 1);
  vigie_begin(client, &record, "long");
  vigie_feature_text(&record, "text", long_text);
  vigie_send(client, &record);
}

int main(int argc, char **argv) {
  if (argc < 7) return 2;
  setlocale(LC_ALL, "");  // of a decimal comma there must be no trace
  const int threads = atoi(argv[4]);
  rows = atoi(argv[3]), pause_us = atoi(argv[6]);
  vigie_options options;
  memset(&options, 0, sizeof options);
  options.queue_bytes = (size_t)atol(argv[5]);
  options.interval_ms = 20;
  options.answer_ms = 600000;
  options.token = "secret";
  client = vigie_open(argv[1], argv[2], &options);
  if (!client) return perror("vigie_open"), 2;
  pthread_t running[16];
  for (int i = 0; i < threads; ++i)
    pthread_create(&running[i], NULL, send_rows, (void *)(intptr_t)i);
  for (int i = 0; i < threads; ++i) pthread_join(running[i], NULL);
  if (!strcmp(argv[3], "odd")) send_odd();
  puts("called");
  fflush(stdout);
  int ms = 0;
  vigie_counters c;
  if (scanf("%d", &ms) != 1) return 2;
  const int flushed = vigie_flush(client, (unsigned)ms);
  vigie_count(client, &c);
  const uint64_t left = c.waiting;
  vigie_close(client, (unsigned)ms, &c);
  for (char *p = c.trouble; *p; ++p)
    if (*p == '"') *p = '\'';
  printf("{\"flushed\": %s, \"left\": %" PRIu64 ", \"sent\": %" PRIu64 ", \"accepted\": %" PRIu64 ", \"duplicates\": %" PRIu64
         ", \"rejected\": %" PRIu64 ", \"dropped\": %" PRIu64 ", \"failed\": %" PRIu64 ", \"waiting\": %" PRIu64
         ", \"retries\": %" PRIu64 ", \"trouble\": \"%s\"}\n",
         flushed ? "true" : "false", left, c.sent, c.accepted, c.duplicates, c.rejected, c.dropped, c.failed, c.waiting,
         c.retries, c.trouble);
  return 0;
}
