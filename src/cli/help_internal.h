// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

namespace CLI {
class FormatterBase;
}

namespace vigie::cli {

/// How --help is laid out: no line over 80 cells, descriptions in one column. A description's part behind its first
/// empty line, and footers, stand as they are.
std::shared_ptr<CLI::FormatterBase> help_format();

}  // namespace vigie::cli
