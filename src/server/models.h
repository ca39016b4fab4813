// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "server/state.h"

namespace vigie::server {

/// The models that the service knows. All functions may be called from any thread.
class Models {
 public:
  Models(std::vector<Model> known, std::size_t most) : most_(most) {
    for (auto& model : known) {
      next_ = std::max(next_, model.number + 1);
      models_.emplace(model.name, std::move(model));
    }
  }

  /// The model of that name, made where there is none; nothing where there are too many, unless its records were
  /// `accepted` already.
  std::optional<std::uint32_t> number_of(std::string_view name, bool accepted = false) {
    std::lock_guard lock(mutex_);
    if (auto it = models_.find(name); it != models_.end()) return it->second.number;
    if (models_.size() >= most_ && !accepted) return {};
    Model model;
    model.number = next_++, model.name = name;
    changed_.emplace(name);
    return models_.emplace(name, std::move(model)).first->second.number;
  }

  /// From now on so many; those that are there stay.
  void limit(std::size_t most) {
    std::lock_guard lock(mutex_);
    most_ = most;
  }

  /// Alters a model that number_of() knows.
  void update(std::string_view name, const std::function<void(Model&)>& change) {
    std::lock_guard lock(mutex_);
    const auto it = models_.find(name);
    if (it == models_.end()) return;
    const auto before = it->second;
    change(it->second);
    if (it->second != before) changed_.emplace(name);
  }

  /// Those that changed since they were last taken.
  std::vector<Model> take_changed() {
    std::lock_guard lock(mutex_);
    std::vector<Model> out;
    for (const auto& name : changed_) out.push_back(models_.find(name)->second);
    changed_.clear();
    return out;
  }
  /// What was taken did not last.
  void give_back(const std::vector<Model>& taken) {
    std::lock_guard lock(mutex_);
    for (const auto& model : taken) changed_.insert(model.name);
  }

  std::optional<Model> find(std::string_view name) const {
    std::lock_guard lock(mutex_);
    const auto it = models_.find(name);
    return it == models_.end() ? std::nullopt : std::optional(it->second);
  }

  /// All of them by name.
  std::vector<Model> all() const {
    std::lock_guard lock(mutex_);
    std::vector<Model> out;
    for (const auto& [name, model] : models_) out.push_back(model);
    return out;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Model, std::less<>> models_;
  std::set<std::string, std::less<>> changed_;
  std::uint32_t next_ = 1;
  std::size_t most_;
};

}  // namespace vigie::server
