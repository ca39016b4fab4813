// SPDX-License-Identifier: Apache-2.0
#include "metric/aliases.h"

#include <algorithm>

namespace vigie::metric {
namespace {

constexpr Alias kAliases[] = {
    {"acc", "accuracy"},
    {"balanced_acc", "balanced_accuracy"},
    {"ppv", "precision"},
    {"sensitivity", "recall"},
    {"true_positive_rate", "recall"},
    {"tnr", "specificity"},
    {"true_negative_rate", "specificity"},
    {"f1_score", "f1"},
    {"fbeta", "f_beta"},
    {"matthews_corrcoef", "mcc"},
    {"cohen_kappa", "kappa"},
    {"auc", "roc_auc"},
    {"auroc", "roc_auc"},
    {"average_precision", "pr_auc"},
    {"auprc", "pr_auc"},
    {"logloss", "log_loss"},
    {"cross_entropy", "log_loss"},
    {"brier_score", "brier"},
    {"calibration_error", "ece"},
    {"lift", "lift_10"},
    {"auc", "roc_auc_macro"},
    {"auroc", "roc_auc_macro"},
    {"macro_f1", "f1_macro"},
    {"micro_f1", "f1_micro"},
    {"weighted_f1", "f1_weighted"},
    {"bias", "me"},
    {"mean_error", "me"},
    {"mean_absolute_error", "mae"},
    {"mean_absolute_percentage_error", "mape"},
    {"mean_squared_error", "mse"},
    {"root_mean_squared_error", "rmse"},
    {"r_squared", "r2"},
    {"r2_score", "r2"},
    {"median_absolute_error", "medae"},
    {"map", "map_at_k"},
    {"ndcg", "ndcg_at_k"},
    {"hit_rate", "hit_rate_at_k"},
    {"word_error_rate", "wer"},
    {"map", "map_50_95"},
    {"jaccard", "iou"},
};

}  // namespace

std::span<const Alias> aliases() {
  return kAliases;
}

bool means(std::string_view given, std::string_view name) {
  return given == name ||
         std::ranges::any_of(kAliases, [&](const Alias& a) { return a.alias == given && a.name == name; });
}

std::vector<std::string_view> aliases_of(std::string_view name) {
  std::vector<std::string_view> out;
  for (const auto& a : kAliases)
    if (a.name == name) out.push_back(a.alias);
  return out;
}

}  // namespace vigie::metric
