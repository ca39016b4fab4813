// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <type_traits>
#include <utility>

#include "engine/scorer_internal.h"

namespace vigie::engine {

/// A GroupState that is one state of the metric room.
template <class State>
class Group : public GroupState {
 public:
  using Finish = std::function<void(State&, Finished&, bool pictures)>;  ///< what the task adds to the entries
  Group(State made, Finish finish) : state(std::move(made)), finish_(std::move(finish)) {}

  Status merge(const GroupState& other) override {
    const State& rows = static_cast<const Group&>(other).state;
    if constexpr (std::is_void_v<decltype(state.merge(rows))>) {
      state.merge(rows);
      return {};
    } else {
      return state.merge(rows);
    }
  }
  Finished finish(bool pictures) override {
    Finished out;
    if constexpr (requires { state.rows(); }) {
      out.rows = {state.rows(), state.rows() - state.unlabelled() - state.unscored(), state.unlabelled(),
                  state.unscored()};
    }
    finish_(state, out, pictures);
    return out;
  }
  void save(ByteWriter& out) override { state.save(out); }

  State state;

 private:
  Finish finish_;
};

/// The state of a group whose Scorer made it.
template <class State>
State& state_of(GroupState& group) {
  return static_cast<Group<State>&>(group).state;
}

}  // namespace vigie::engine
