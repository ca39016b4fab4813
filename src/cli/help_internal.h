// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

namespace CLI {
class FormatterBase;
}

namespace vigie::cli {

/// How --help is laid out: no line over 80 cells, descriptions in one column. A description's part behind its first
/// empty line, and footers, stand as they are.
std::shared_ptr<CLI::FormatterBase> help_format();
/// A name and its description as an option and its own stand there; ends in a newline.
std::string help_row(const std::string& name, const std::string& text);

}  // namespace vigie::cli
