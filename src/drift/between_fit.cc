// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "drift/between_fit_internal.h"

namespace vigie::drift {

Design::Design(std::size_t windows) : rows_(windows, Row{{0, 0, 0}, 1}), inverse_{1 / static_cast<double>(windows)} {}

std::optional<Design::Row> Design::row(const WindowSummary& window) const {
  Row row{{0, 0, 0}, 1};
  const auto add = [&row](std::span<const int> effects, std::int16_t level) {
    if (level < 0 || static_cast<std::size_t>(level) >= effects.size() || effects[level] < 0) return false;
    if (effects[level] > 0) row.at[row.count++] = static_cast<std::size_t>(effects[level]);
    return true;
  };
  if (hours_ && !add(hour_, window.hour)) return std::nullopt;
  if (weekdays_ && !add(weekday_, window.weekday)) return std::nullopt;
  return row;
}

std::optional<Design> Design::seasonal(std::span<const WindowSummary* const> windows) {
  Design design;
  std::array<std::array<bool, 7>, 25> pairs{};
  std::size_t hourly = 0;
  for (const auto* window : windows) {
    if (window->weekday < 0 || window->weekday > 6 || window->hour > 23) return std::nullopt;
    hourly += window->hour >= 0;
    pairs[static_cast<std::size_t>(window->hour + 1)][static_cast<std::size_t>(window->weekday)] = true;
  }
  if (hourly != 0 && hourly != windows.size()) return std::nullopt;
  design.hours_ = hourly != 0;
  design.weekdays_ = true;

  // The first level that occurs is the baseline.
  std::size_t distinct = 0;
  const auto number = [&](auto& effects, auto occurs) {
    bool first = true;
    for (std::size_t level = 0; level < effects.size(); ++level) {
      if (!occurs(level)) {
        effects[level] = -1;
      } else {
        effects[level] = first ? 0 : static_cast<int>(design.parameters_++);
        first = false;
      }
    }
  };
  for (const auto& row : pairs) distinct += static_cast<std::size_t>(std::ranges::count(row, true));
  number(design.weekday_,
         [&](std::size_t day) { return std::ranges::any_of(pairs, [=](auto& row) { return row[day]; }); });
  // Windows of one weekday are neighbours when they last an hour, and a week apart when they last a day.
  if (design.hours_) {
    design.runs_ = design.parameters_;
    number(design.hour_, [&](std::size_t hour) { return std::ranges::count(pairs[hour + 1], true) > 0; });
  }
  if (design.parameters_ == 1 || windows.size() < 2 * distinct) return std::nullopt;

  const std::size_t p = design.parameters_;
  std::vector<double> matrix(p * p);
  design.rows_.reserve(windows.size());
  for (const auto* window : windows) {
    const Row row = *design.row(*window);
    design.rows_.push_back(row);
    for (std::size_t i = 0; i < row.count; ++i) {
      for (std::size_t j = 0; j < row.count; ++j) matrix[row.at[i] * p + row.at[j]] += 1;
    }
  }
  if (!design.invert(std::move(matrix))) return std::nullopt;
  return design;
}

// Sweeping a positive definite matrix on each pivot in turn leaves minus its inverse.
bool Design::invert(std::vector<double> matrix) {
  const std::size_t p = parameters_;
  for (std::size_t k = 0; k < p; ++k) {
    const double pivot = matrix[k * p + k];
    if (!(pivot > 1e-8)) return false;
    for (std::size_t i = 0; i < p; ++i) {
      if (i == k) continue;
      const double factor = matrix[i * p + k] / pivot;
      for (std::size_t j = 0; j < p; ++j) {
        if (j != k) matrix[i * p + j] -= factor * matrix[k * p + j];
      }
    }
    for (std::size_t i = 0; i < p; ++i) {
      if (i == k) continue;
      matrix[i * p + k] /= pivot;
      matrix[k * p + i] /= pivot;
    }
    matrix[k * p + k] = -1 / pivot;
  }
  for (auto& x : matrix) x = -x;
  inverse_ = std::move(matrix);
  return true;
}

double Design::leverage(const Row& row) const {
  double sum = 0;
  for (std::size_t i = 0; i < row.count; ++i) {
    for (std::size_t j = 0; j < row.count; ++j) sum += inverse_[row.at[i] * parameters_ + row.at[j]];
  }
  return sum;
}

std::vector<double> Design::solve(std::span<const double> values) const {
  std::vector<double> right(parameters_), solution(parameters_);
  for (std::size_t w = 0; w < rows_.size(); ++w) {
    for (std::size_t i = 0; i < rows_[w].count; ++i) right[rows_[w].at[i]] += values[w];
  }
  for (std::size_t i = 0; i < parameters_; ++i) {
    for (std::size_t j = 0; j < parameters_; ++j) solution[i] += inverse_[i * parameters_ + j] * right[j];
  }
  return solution;
}

double Fit::at(const Design::Row& row) const {
  double sum = 0;
  for (std::size_t i = 0; i < row.count; ++i) sum += coefficients[row.at[i]];
  return sum;
}

Fit fit(const Design& design, std::span<const double> values) {
  Fit result;
  if (!std::ranges::all_of(values, [](double x) { return std::isfinite(x); })) return result;
  result.usable = true;
  result.coefficients = design.solve(values);
  double squares = 0, products = 0, previous = 0, size = 0;
  for (std::size_t w = 0; w < values.size(); ++w) {
    const double residual = values[w] - result.at(design.rows()[w]);
    squares += residual * residual;
    products += residual * previous;
    previous = residual;
    size += values[w] * values[w];
  }
  if (squares <= 1e-24 * size) squares = 0;  // equal values, but for rounding
  const auto windows = static_cast<double>(values.size()), parameters = static_cast<double>(design.parameters()),
             runs = static_cast<double>(design.runs());
  // The floor stands for what so few windows could not have shown. Below twelve the correlation that they do show is
  // mostly chance, and is taken for what twelve would make of it.
  const double seen = squares > 0 ? (windows * products / squares + runs) / std::max(windows - 4, 8.) : 0;
  const double rho = std::max(std::clamp(seen, 0., .9), 5 / (10 + windows));
  double sum = 0, power = 1;
  for (double lag = 1; lag < windows && power > 1e-12; ++lag) {
    power *= rho;
    sum += (1 - lag / windows) * power;
  }
  result.inflation = std::min(.7 * windows, 1 + 2 * sum);
  result.raw = squares / (windows - parameters);
  const double spent = std::min(.7 * windows, result.inflation * runs + parameters - runs);
  result.variance = squares / (windows - std::max(spent, parameters));
  const double effective = windows * (1 - rho * rho) / (1 + rho * rho) - 1;
  result.nu = std::max(1., effective * (windows - parameters) / (windows - 1));
  return result;
}

}  // namespace vigie::drift
