// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "store/store.h"

namespace vigie::store {

/// An entry of the audit log as it lies there.
struct AuditRow {
  std::int64_t number = 0, time = 0;
  std::string model, happened, key, body;
};
/// Goes on with the check of a chain; false once it is broken.
bool check_row(const AuditRow& row, AuditState& state);

/// Code::kInput: it is too large.
Status check_size(const Profile& profile);

/// Of a window's body, or of its score's, what stays when it is old: JSON objects as they were, without what was found
/// of columns, checks, segments and classes. Of what cannot be read nothing stays but that it was there.
std::string condensed_window(std::string_view body);
std::string condensed_score(std::string_view body);

}  // namespace vigie::store
