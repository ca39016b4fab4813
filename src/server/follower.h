// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "event/counted_window.h"
#include "event/explanation.h"
#include "event/record.h"
#include "journal/journal.h"
#include "server/audit_trail.h"
#include "server/cost.h"
#include "server/held_notices.h"
#include "server/live_attributions.h"
#include "server/maintenance.h"
#include "server/model_ops.h"
#include "server/model_streams.h"
#include "server/models.h"
#include "server/peers.h"
#include "server/record_schema.h"
#include "server/watch.h"

namespace vigie::server {

/// Reads the journal behind its writers: counts what it holds, once, and watches the models that have a reference. What
/// was read is committed with the offset of the next record; windows are in the store before.
class Follower {
 public:
  static constexpr std::string_view kConsumer = "state";
  /// Under which name the State has the profile that a model is compared with.
  static std::string reference_of(std::string_view model) { return "reference " + std::string(model); }
  using TargetsOf = std::function<std::vector<std::string>(const event::Notice&)>;

  /// `committed` is told the offset below which all is in the State, from the follower's thread; `targets` says who is
  /// told of a notice, through the store.
  Follower(journal::Journal& journal, State& state, Models& models, store::Store& store, TargetsOf targets,
           std::function<void(journal::Sequence)> committed);
  ~Follower();
  Follower(const Follower&) = delete;

  /// Reads all that is there; before start().
  Status catch_up();
  void start();
  /// Is told once that record was read, from the follower's thread; or that it was not, at the end and while something
  /// keeps it from reading.
  using Then = std::function<void(bool read)>;
  void after(journal::Sequence record, Then then);
  /// The same, once all others that share the store and live have read it too; some seconds at most.
  void after_all(journal::Sequence record, Then then);
  std::function<void(const std::string&)> log;  ///< that something keeps it, and no more; before start()
  /// Is called when there is something to tell the targets; before start().
  std::function<void()> told;
  /// What was said of a model, as it is read and at the start; before catch_up().
  std::function<void(const std::string& model, const ModelConfig& config)> configured;
  /// Of a model that has no reference, what came first is over, as ReferenceChoice says. False: not now, it is asked
  /// again soon; else each hour. Before catch_up().
  std::function<bool(const std::string& model, std::int64_t from, std::int64_t to)> first_over;
  /// A window that was counted elsewhere, and how many rows of it are new; nothing: it was counted by another reference
  /// than the model has, and is left out. Before catch_up().
  std::function<void(const std::string& model, const event::CountedWindow&, std::optional<std::int64_t> rows)>
      window_taken;
  /// What else went on while a window of a model was bad; before catch_up().
  std::function<std::vector<std::string>(const std::string& model, std::int64_t from, std::int64_t to)> context;
  Prices prices;  ///< before start()
  /// When models are worked on, by what it reads and what others say.
  Maintenance maintenance;
  /// Others that share the store, where there may be any; before catch_up().
  std::unique_ptr<Peers> peers;
  /// Key of values that are to be hashed where rows are shown; before catch_up().
  std::string hash_key;
  /// It has been reading, or held up, for a second: what is written now it reads later.
  bool behind() const;
  /// How much of the journal it has not read, and how long the oldest of it has been there, at most.
  struct Lag {
    journal::Sequence records = 0;
    std::int64_t micros = 0;
  };
  Lag lag() const;
  /// Of a model that has a reference the rows that are in no window.
  std::optional<engine::LiveWindows::Astray> astray(const std::string& model) const;
  /// What other services that share the store counted of a model.
  Peers::Counted elsewhere(std::string_view model) const;
  /// By model, what its last windows came to since the start.
  std::map<std::string, std::shared_ptr<const Figures>, std::less<>> figures() const;
  /// What keeps it from reading on, as a full disk; empty when nothing does.
  std::string trouble() const;
  /// What of the journal was altered, and passed over; empty when nothing was.
  std::string lost() const;
  std::int64_t lost_pieces() const;

  /// A change of incidents, with what the audit log is to say of it.
  struct Change {
    std::function<std::vector<event::Notice>(engine::Incidents&, std::vector<event::AuditEntry>&)> make;
    std::optional<journal::Sequence> once{};  ///< of that record, and not again when it is read again
  };
  /// What is to be put in the store of changes.
  struct Telling {
    std::vector<event::Incident> incidents;
    std::vector<store::Outgoing> outgoing;
    std::vector<event::AuditEntry> entries;
    bool news = false;  // there is something to be told, be it later
    bool empty() const { return incidents.empty() && outgoing.empty() && entries.empty(); }
  };

 private:
  struct Followed;
  void run();
  Result<bool> go_on();
  Status leave();
  Result<bool> step();
  Status read(const journal::Block& block);
  Status read(const event::Record& record, journal::Sequence place, std::int64_t arrived);
  Status read_explanations(const event::Record& record, std::uint32_t model, journal::Sequence place,
                           std::int64_t arrived);
  Result<LiveAttributions*> attributions(Followed& of, std::uint32_t model);
  Status read_counts(const event::Record& record, journal::Sequence place, std::int64_t arrived);
  Status read_heard(const event::Record& record, journal::Sequence place, std::int64_t arrived);
  Status read_scored(const event::Record& record, journal::Sequence place, std::int64_t arrived);
  Status read_labels(const event::Record& record, std::uint32_t model, std::int64_t arrived);
  Status set_reference(const Model& model, std::string_view profile, journal::Sequence place, bool anew);
  Status configure(const std::string& model, std::string_view config);
  Status keep_reference(const std::string& model, std::string_view origin, std::string bytes, std::int64_t made) const;
  Status keep_older_references(std::span<const Model> models);
  Status answer(const std::string& model, std::string_view json, Origin at);
  Status plan(const std::string& model, std::string_view record, Origin at);
  struct Followed {
    explicit Followed(const std::string& model) : name(model), ops(model), streams(model), incidents(model) {}
    const std::string name;
    std::unique_ptr<Watch> watch;
    std::unique_ptr<LiveAttributions> attributions;  // of one that has any
    ModelOps ops;
    ModelStreams streams;
    RecordSchema schema;
    engine::Incidents incidents;
    std::vector<Change> changes;     // of incidents, that wait for tell()
    store::Exchange::Common common;  // with others: what the incidents were when they were last looked at
    std::int64_t version = 0;        // of those
    std::map<std::string, journal::Sequence, std::less<>> changed_by;  // by service, records below have changed them
    HeldNotices held;
    ModelConfig config;
    std::string posted;                 // the reference that came since the last commit
    std::optional<std::int64_t> first;  // minute that something is of, where its reference is made of what came first
    std::int64_t asked = 0;             // when first_over() was
    bool changed = true;                // since the last commit
    bool anew = false;                  // its reference, since the last commit
    bool keeps = false;                 // open windows, with the next: by rules that are not its any more
    std::int64_t judged = 0;            // judged_ when a window was last
    std::optional<std::int64_t> since;  // read_ when the first row came that no kept window has
  };
  Followed& followed(const std::string& model);
  Status set_streams(Followed& of, bool anew);
  void bear_streams(Followed& of);
  void look(const std::string& model, Followed& of, engine::Sighting sighting, std::int64_t clock) const;
  Status see(const std::string& model, Followed& of, std::vector<engine::Sighting> sightings, std::int64_t clock);
  Status close(const std::string& model, Followed& of, std::int64_t clock, bool all);
  static std::string_view state_of(const Followed& of);
  Status look_for_first(const std::string& model, Followed& of, std::int64_t clock) const;
  Status add_ops(const Followed& of, store::Window& window) const;
  Status tell(const std::string& model, Followed& of, std::int64_t clock);
  Telling change(const std::string& model, Followed& of, std::int64_t clock) const;
  Status put(const Telling& telling, std::int64_t version);
  Status agree(const std::string& model, Followed& of);
  Status tell_in_common(const std::string& model, Followed& of, std::int64_t clock, Telling& telling);
  Status share(bool last);
  Status forget();
  void say_trouble(const std::string& trouble);
  Status hear();
  Result<bool> to_others(const event::Record& record, journal::Sequence place, std::int64_t arrived);
  Status say_what_was_there(std::span<const Model> models);
  Status audit(const event::AuditEntry& entry);
  bool someone_waits() const;
  void call_those_that_wait(bool all);
  void call_those_that_all_know();
  Status keep_open_windows(journal::Sequence offset, bool all);
  Status keep_open_windows(const std::string& name, Followed& of, journal::Sequence offset);
  Status commit(journal::Sequence offset, bool last = false);
  void let_rest();
  Status start_again();
  Status read_all();
  void lose(std::string why);

  journal::Journal& journal_;
  State& state_;
  Models& models_;
  store::Store& store_;
  std::function<void(journal::Sequence)> committed_;
  journal::Reader reader_;
  journal::Sequence counted_ = 0;  // records below are in the State; they are read again for windows alone
  table::JsonRows rows_, one_row_;
  event::ExplanationRows explanations_;
  std::map<std::string, Followed, std::less<>> followed_;
  std::set<std::string, std::less<>> audited_;  // models of which the audit log has the first record
  TargetsOf targets_;
  std::multimap<journal::Sequence, Then> waiting_;
  struct Known {
    journal::Sequence record = 0;
    std::chrono::steady_clock::time_point until{};
    Then then;
  };
  journal::Sequence windows_told_ = 0;                       // by window_taken(), up to there
  std::vector<Known> read_here_;                             // and others may not know it yet
  std::int64_t judged_ = 0, started_ = 0;                    // started_: µs; before it nothing could come
  std::int64_t read_ = 0, kept_bytes_ = 0;                   // rows of predictions, and what was kept of open windows
  bool again_ = false;                                       // where it is to begin anew
  std::int64_t pending_rows_ = 0, arrived_ = 0, clock_ = 0;  // of what it reads, while it is behind
  bool urgent_ = false;                                      // what is pending must last now
  journal::Sequence place_ = 0;                              // of what it reads
  const HeardRecord* heard_ = nullptr;                       // what it reads, where it is another service's
  std::chrono::steady_clock::time_point committed_at_{}, closed_at_{}, forgot_at_{}, shared_at_{};
  std::atomic<bool> stop_ = false;
  std::atomic<std::int64_t> waited_ = 0;  // when it last had nothing to read: µs
  std::atomic<journal::Sequence> read_to_ = 0;
  std::atomic<std::int64_t> last_arrived_ = 0;  // of what it read: µs
  mutable std::mutex mutex_;
  std::map<std::string, engine::LiveWindows::Astray, std::less<>> astray_;  // of those that have a reference
  std::map<std::string, std::shared_ptr<const Figures>, std::less<>> figures_;
  Peers::Counts elsewhere_;
  std::string trouble_, lost_why_;
  std::int64_t lost_ = 0;
  std::thread thread_;
};

}  // namespace vigie::server
