// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/incidents.h"
#include "event/audit.h"
#include "event/record.h"
#include "journal/reader.h"
#include "server/http.h"
#include "server/record_schema.h"
#include "store/store.h"

namespace vigie::server {

/// A record of the journal, as entries of the audit log name it: read again after a crash it makes the same ones.
struct Origin {
  journal::Sequence place = 0;
  std::int64_t arrived = 0;  ///< µs since 1970
};

/// The first record of a model came.
event::AuditEntry model_created(std::string_view model, event::Kind by, Origin at);
/// What people say of it changed, from one JSON object to another: the keys that differ, before and after.
event::AuditEntry model_changed(std::string_view model, std::string_view before, std::string_view after, Origin at);
/// It is compared with something else from now on: a profile, and its bytes.
event::AuditEntry reference_set(std::string_view model, std::string_view profile, Origin at);
/// Its records have other columns from now on, or people said so.
event::AuditEntry schema_changed(std::string_view model, const RecordSchema::Change& change, Origin at);
/// Somebody said something of an incident; `applied`: it was not over.
event::AuditEntry answered(std::string_view model, std::string_view incident, const engine::Incidents::Answer& answer,
                           bool applied, Origin at);

/// A model is worked on, or no more: a record of Kind::kMaintenance.
event::AuditEntry maintenance_said(std::string_view model, std::string_view record, Origin at);
/// What vigie.yaml plans of all models, where it is something else than before: as it stands there.
event::AuditEntry maintenance_planned(std::string_view json, std::int64_t now);

/// The service begins; the entry says how the last one ended.
Result<event::AuditEntry> service_started(const store::Store& store, std::string_view version, std::int64_t now);
event::AuditEntry service_stopped(std::string_view version, std::int64_t now);
/// Other settings hold from now on: their names.
event::AuditEntry settings_changed(const std::vector<std::string>& names, std::int64_t now);
/// "entry 12, sha256 5f0c…", to be written where the file's owner cannot write; empty: there is none.
std::string head_of_audit(const store::Store& store);

/// GET /v1/audit?model=&event=&from=&to=&limit=&after=
Reply list_audit(const Request& request, const store::Store& store);
/// GET /v1/audit/verify
Reply verify_audit(const store::Store& store);

}  // namespace vigie::server
