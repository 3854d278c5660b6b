#pragma once

#include <string>
#include <vector>

#include "apps/common/config.h"
#include "apps/common/flag.h"

// Between the text of a flag and its typed target. Independent of the locale.

namespace plumb {

/// Converts, checks and stores; `texts` has one entry but for lists and KeyValues. When a text is not allowed the
/// target is unchanged, `culprit` is that text, and the result is false.
bool store_value(Flag& flag, const std::vector<std::string>& texts, std::string& culprit);

/// What the flag takes, in words: "an integer at least 1", "one of ddim, ddpm".
std::string describe_expected(const Flag& flag);

/// What --help shows for the value: N, X, TEXT, a|b, N,N,...
std::string describe_placeholder(const Flag& flag);

/// The target's present value; no values for an empty optional.
ConfigEntry current_value(const Flag& flag);

/// Splits at commas; no items for an empty text.
std::vector<std::string> split_list(const std::string& text);

/// Whether a configuration value of this kind may go to the flag: numbers to numbers, strings to text, nothing implied.
bool takes_kind(const Flag& flag, ConfigKind kind);

bool is_list(const Flag& flag);
bool is_switch(const Flag& flag);
bool is_key_values(const Flag& flag);

/// The shortest decimal that reads back to the same bits ("0.1", "1e-05", "nan").
std::string format_real(double value);

}  // namespace plumb
