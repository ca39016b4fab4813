// SPDX-License-Identifier: Apache-2.0
#include "server/model_streams.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/bytes.h"
#include "base/hash.h"
#include "engine/class_key.h"
#include "engine/score_reference.h"
#include "event/record.h"

namespace vigie::server {
namespace {

using engine::StreamDetector;
using table::Type;

constexpr std::uint8_t kVersion = 2;            // the first had one clock for both
constexpr std::int64_t kAhead = 3'600'000'000;  // µs that a row may be before the clock

double number_of(std::string_view text) {
  double value = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  return wrong == std::errc{} && end == text.data() + text.size() ? value : std::nan("");
}

double number_in(const table::Column& column, std::size_t row) {
  if (!column.numbers.empty()) return column.numbers[row];
  if (column.codes.empty() || column.codes[row] < 0) return std::nan("");
  return number_of(column.dictionary[static_cast<std::size_t>(column.codes[row])]);
}

std::string text_in(const table::Column& column, std::size_t row) {
  if (!column.codes.empty())
    return column.codes[row] < 0 ? "" : std::string(column.dictionary[static_cast<std::size_t>(column.codes[row])]);
  if (column.numbers.empty() || std::isnan(column.numbers[row])) return {};
  if (column.type == Type::kBoolean) return column.numbers[row] != 0 ? "true" : "false";
  return fmt::format("{}", column.numbers[row]);
}

// What is of a time so far ahead is of when it came.
std::int64_t time_of(double said, std::int64_t arrived) {
  return said >= 0 && said <= static_cast<double>(arrived + kAhead) ? static_cast<std::int64_t>(said) : arrived;
}

std::int64_t time_in(const table::Column& times, std::size_t row, std::int64_t arrived) {
  return time_of(times.numbers.empty() ? std::nan("") : times.numbers[row], arrived);
}

}  // namespace

// What was predicted, for its label to come: 9 bytes.
struct ModelStreams::Answer {
  enum Kind : std::uint8_t { kNone, kClass, kSide, kNumber } kind = kNone;
  std::uint64_t class_hash = 0;
  double number = 0;

  void write(std::string& out) const {
    ByteWriter bytes;
    bytes.fixed(static_cast<std::uint8_t>(kind));
    kind == kClass ? bytes.fixed(class_hash) : bytes.fixed(number);
    out = bytes.take();
  }
  static Answer read(std::string_view bytes) {
    ByteReader in(bytes);
    Answer out;
    const auto kind = in.fixed<std::uint8_t>();
    if (kind == kClass)
      out.class_hash = in.fixed<std::uint64_t>();
    else
      out.number = in.fixed<double>();
    if (in.ok() && kind <= kNumber) out.kind = static_cast<Kind>(kind);
    return out;
  }
};

Status ModelStreams::set(const std::optional<StreamSpecs>& said, std::shared_ptr<const engine::Profile> reference,
                         bool anew) {
  reference_ = std::move(reference);
  known_label_ = nullptr, positive_.reset(), threshold_ = .5;
  if (reference_ && reference_->scores) {
    const auto& o = reference_->scores->options;
    known_label_ = engine::known_labels(*reference_->scores);
    threshold_ = o.threshold, positive_ = o.positive;
    if (!positive_ && o.classes.size() == 2) positive_ = o.classes.back();
  }
  std::vector<StreamDetector> streams;
  for (const auto& spec : said ? *said : usual_streams(reference_.get())) {
    auto kept = std::find_if(streams_.begin(), streams_.end(), [&](const auto& s) { return s.spec() == spec; });
    if (!anew && kept != streams_.end()) {
      kept->attach(stream_reference(spec, reference_.get()));
      streams.push_back(std::move(*kept));
      streams_.erase(kept);
      continue;
    }
    VIGIE_ASSIGN(auto made, StreamDetector::make(spec, stream_reference(spec, reference_.get())));
    streams.push_back(std::move(made));
  }
  streams_ = std::move(streams);
  auto keys = event::request_keys().keys();
  keys.push_back({{"prediction", Type::kString}, {"prediction"}});
  keys.push_back({{"score", Type::kFloat}, {"score"}});
  for (const auto& stream : streams_)
    if (!of_labels(stream.spec()) && stream.spec().on != engine::kScores)
      keys.push_back({{stream.spec().on, Type::kFloat}, {"features", std::string(feature_of(stream.spec()))}});
  shape_ = std::make_unique<table::JsonShape>(std::move(keys), table::OtherKeys::kSkipped);
  seen_ = nullptr;
  bear(share_);
  return {};
}

const table::JsonShape& ModelStreams::shape() const {
  return any() ? *shape_ : event::request_keys();
}

void ModelStreams::bear(double false_alarms) {
  share_ = false_alarms;
  for (auto& stream : streams_) stream.bear(share_ / static_cast<double>(streams_.size()));
}

bool ModelStreams::speaks() const {
  return std::any_of(streams_.begin(), streams_.end(), [](const auto& s) { return s.values() > 0; });
}

bool ModelStreams::joins() const {
  return std::any_of(streams_.begin(), streams_.end(), [](const auto& s) { return of_labels(s.spec()); });
}

Status ModelStreams::begin(table::JsonRows& rows, const table::JsonShape& shape, std::int64_t arrived) {
  arrived_ = arrived;
  if (!any()) return {};
  const auto& keys = shape.keys();
  if (seen_ != &shape) {
    const auto place = [&](const std::vector<std::string>& path, std::string_view name = {}) {
      const auto at = std::find_if(keys.begin(), keys.end(), [&](const auto& key) {
        return key.path == path || (!name.empty() && key.field.name == name);
      });
      return at == keys.end() ? event::kNoColumn : static_cast<std::size_t>(at - keys.begin());
    };
    time_at_ = place({"timestamp"});
    if (time_at_ != event::kNoColumn && keys[time_at_].field.type != Type::kTimestamp) time_at_ = event::kNoColumn;
    prediction_at_ = place({"prediction"}), score_at_ = place({"score"});
    at_.clear();
    for (const auto& stream : streams_) {
      const auto& spec = stream.spec();
      at_.push_back(of_labels(spec) ? event::kNoColumn
                    : spec.on == engine::kScores && score_at_ != event::kNoColumn
                        ? score_at_
                        : place({"features", std::string(feature_of(spec))}, spec.on));
    }
    seen_ = &shape;
  }
  const auto column = [&](std::size_t i) {
    return i == event::kNoColumn ? Result<table::Column>(table::Column()) : rows.column(i);
  };
  VIGIE_ASSIGN(times_, column(time_at_));
  if (joins()) {
    VIGIE_ASSIGN(predictions_, column(prediction_at_));
    VIGIE_ASSIGN(scores_, column(score_at_));
  }
  values_.clear();
  for (const auto at : at_) {
    VIGIE_ASSIGN(auto value, column(at));
    values_.push_back(value);
  }
  return {};
}

std::string_view ModelStreams::answer(std::size_t row) {
  answer_.clear();
  if (!joins()) return answer_;
  Answer out;
  const bool residual =
      std::any_of(streams_.begin(), streams_.end(), [](const auto& s) { return s.spec().on == engine::kResiduals; });
  if (residual) {
    out.kind = Answer::kNumber, out.number = number_in(predictions_, row);
  } else if (const auto text = text_in(predictions_, row); !text.empty()) {
    out.kind = Answer::kClass, out.class_hash = hash64(engine::class_key(text), 0);
  } else if (positive_) {
    out.kind = Answer::kSide, out.number = number_in(scores_, row);
  }
  if (out.kind != Answer::kNone && !std::isnan(out.number)) out.write(answer_);
  return answer_;
}

Status ModelStreams::add(std::span<const std::size_t> which, const LabelOf& label_of, Sightings& out) {
  if (!any()) return {};
  for (const auto row : which) {
    const auto time = time_in(times_, row, arrived_);
    end_hours(false, time, out);
    for (std::size_t i = 0; i < streams_.size(); ++i)
      if (at_[i] != event::kNoColumn) feed(streams_[i], number_in(values_[i], row), time, out);
    if (early_ == 0 || !joins()) continue;
    VIGIE_ASSIGN(const auto label, label_of(row));
    if (!label) continue;
    --early_;
    if (const auto bytes = answer(row); !bytes.empty()) {
      end_hours(true, time, out);
      feed(Answer::read(bytes), time, *label, out);
    }
  }
  return {};
}

void ModelStreams::labelled(const std::optional<State::Predicted>& predicted, std::string_view label,
                            std::int64_t arrived, Sightings& out) {
  if (!joins()) return;
  if (!predicted) return void(++early_);
  if (predicted->answer.empty()) return;
  const auto time = time_of(static_cast<double>(predicted->time.value_or(arrived)), arrived);
  end_hours(true, time, out);
  feed(Answer::read(predicted->answer), time, label, out);
}

void ModelStreams::feed(const Answer& answer, std::int64_t time, std::string_view label, Sightings& out) {
  if (known_label_ && !known_label_(label)) return;
  double value = std::nan("");
  if (answer.kind == Answer::kClass) value = hash64(engine::class_key(label), 0) != answer.class_hash;
  if (answer.kind == Answer::kSide && positive_)
    value = (engine::class_key(label) == engine::class_key(*positive_)) != (answer.number >= threshold_);
  const double residual = answer.kind == Answer::kNumber ? number_of(label) - answer.number : std::nan("");
  for (auto& stream : streams_)
    if (of_labels(stream.spec())) feed(stream, stream.of_errors() ? value : residual, time, out);
}

bool ModelStreams::left_out(std::int64_t time) {
  constexpr std::int64_t kMinute = 60'000'000;
  const auto minute = time - time % kMinute;
  if (std::exchange(minute_, minute) != minute) planned_then_ = planned_(minute, minute + kMinute);
  return planned_then_;
}

void ModelStreams::feed(StreamDetector& stream, double value, std::int64_t time, Sightings& out) {
  if (left_out(time)) return;
  auto cause = stream.add(value, time);
  if (!cause) return;
  clocks_[of_labels(stream.spec())].alarmed = true;
  engine::Sighting sighting{engine::Sighting::Track::kStreams, cause->since, std::max(time, cause->since) + 1};
  sighting.judged = sighting.firm = true;
  sighting.causes.push_back(std::move(*cause));
  out.push_back(std::move(sighting));
}

void ModelStreams::end_hours(bool labels, std::int64_t time, Sightings& out) {
  auto& clock = clocks_[labels];
  const auto hour = time - time % StreamDetector::kHour;
  if (hour <= clock.hour) return;
  const auto over = std::exchange(clock.hour, hour);
  if (over == std::numeric_limits<std::int64_t>::min()) return;
  const auto end = over + StreamDetector::kHour;
  engine::Sighting sighting{engine::Sighting::Track::kStreams, over, end};
  bool waits = std::exchange(clock.alarmed, false);
  for (auto& stream : streams_) {
    // Where no label comes any more, predictions tell that a change has become usual.
    const bool over_now = of_labels(stream.spec()) == labels ||
                          (stream.changed() && end - stream.changed()->since > StreamDetector::kUsualAfter);
    const auto said = over_now ? stream.end_hour(end) : StreamDetector::Hour::kNothing;
    sighting.judged = sighting.judged || said != StreamDetector::Hour::kNothing;
    if (said == StreamDetector::Hour::kChanged) sighting.causes.push_back(*stream.changed());
    // Of one that changed too little came to say whether it did back.
    waits = waits || (said == StreamDetector::Hour::kNothing && stream.changed());
  }
  sighting.firm = sighting.still = !sighting.causes.empty();
  if (sighting.still || (sighting.judged && !waits)) out.push_back(std::move(sighting));
}

Status ModelStreams::save(State& state) const {
  ByteWriter out;
  out.fixed(kVersion);
  out.fixed(early_);
  for (const auto& clock : clocks_) out.fixed(clock.hour), out.fixed(std::uint8_t{clock.alarmed});
  out.varint(streams_.size());
  for (const auto& stream : streams_) stream.save(out);
  return state.put(name_of(model_), out.bytes());
}

struct ModelStreams::Kept {
  std::uint64_t early = 0;
  std::array<Clock, 2> clocks{};
  std::vector<StreamDetector> streams;
};

Result<ModelStreams::Kept> ModelStreams::read(const State& state, const std::string& model) {
  Kept out;
  VIGIE_ASSIGN(const auto kept, state.get(name_of(model)));
  const auto bytes = kept.value_or("");
  if (bytes.empty()) return out;
  ByteReader in(bytes);
  const auto version = in.fixed<std::uint8_t>();
  out.early = in.fixed<std::uint64_t>();
  const auto read_clock = [&] { return Clock{in.fixed<std::int64_t>(), in.fixed<std::uint8_t>() != 0}; };
  out.clocks[0] = read_clock(), out.clocks[1] = version < kVersion ? out.clocks[0] : read_clock();
  if (version < 1 || version > kVersion)
    return fail(Code::kCorrupt, "what was kept of a model's detectors cannot be read");
  for (auto left = in.varint(); left > 0 && in.ok(); --left) {
    VIGIE_ASSIGN(auto stream, StreamDetector::load(in));
    out.streams.push_back(std::move(stream));
  }
  return out;
}

Result<std::vector<StreamDetector>> ModelStreams::kept(const State& state, const std::string& model) {
  VIGIE_ASSIGN(auto kept, read(state, model));
  return std::move(kept.streams);
}

Status ModelStreams::load(const State& state) {
  VIGIE_ASSIGN(auto kept, read(state, model_));
  early_ = kept.early, clocks_ = kept.clocks;
  share_ = 0;
  for (auto& stream : streams_) {
    const auto found = std::find_if(kept.streams.begin(), kept.streams.end(),
                                    [&](const auto& other) { return other.spec() == stream.spec(); });
    if (found != kept.streams.end()) {
      stream = std::move(*found);
      stream.attach(stream_reference(stream.spec(), reference_.get()));
    }
    share_ += stream.share();
  }
  return {};
}

}  // namespace vigie::server
