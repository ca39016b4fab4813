// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "table/ndjson_block_internal.h"

namespace vigie::table {

void JsonTree::insert(const std::vector<std::string>& path, std::int32_t column) {
  JsonTree* at = this;
  for (std::size_t i = 0; i < path.size(); ++i) {
    auto it = at->index_.find(path[i]);
    if (it == at->index_.end()) {
      at->children_.push_back(std::make_unique<Child>());
      at->children_.back()->key = path[i];
      it = at->index_.emplace(at->children_.back()->key, at->children_.size() - 1).first;
    }
    Child& child = *at->children_[it->second];
    if (i + 1 == path.size()) {
      child.column = column;
    } else {
      if (!child.inner) child.inner = std::make_unique<JsonTree>();
      at = child.inner.get();
    }
  }
}

const JsonTree::Child* JsonTree::find(const char* raw, std::size_t& cursor) const {
  // Optional keys are left out by some rows: a few are looked over.
  for (auto i = cursor, stop = std::min(cursor + 3, children_.size()); i < stop; ++i) {
    const auto& key = children_[i]->key;
    if (raw[key.size()] == '"' && std::memcmp(raw, key.data(), key.size()) == 0) {
      cursor = i + 1;
      return children_[i].get();
    }
  }
  auto it = index_.find(raw_key(raw));
  if (it == index_.end()) return nullptr;
  cursor = it->second + 1;
  return children_[it->second].get();
}

const JsonTree::Child* JsonTree::find(std::string_view key) const {
  const auto it = index_.find(key);
  return it == index_.end() ? nullptr : children_[it->second].get();
}

}  // namespace vigie::table
