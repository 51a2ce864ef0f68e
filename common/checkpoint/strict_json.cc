#include "common/checkpoint/strict_json.h"

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

using nlohmann::json;

constexpr std::size_t kExcerptBytes = 200;

// Receives the parser's events and builds the value. Every handler returns false to stop; `rule()` then says
// why.
class StrictBuilder final : public nlohmann::json_sax<json> {
 public:
  StrictBuilder(const JsonLimits& limits, const std::vector<JsonStream>& streams)
      : limits_(limits), streams_(streams) {}

  bool null() override { return Add(nullptr); }
  bool boolean(bool value) override { return Add(value); }
  bool number_integer(number_integer_t value) override { return Add(value); }
  bool number_unsigned(number_unsigned_t value) override { return Add(value); }
  bool number_float(number_float_t value, const string_t& /*text*/) override { return Add(value); }
  bool string(string_t& value) override { return Add(std::move(value)); }
  bool binary(binary_t& /*value*/) override { return Stop("binary values are not JSON"); }
  bool start_object(std::size_t /*size*/) override { return Open(json::object()); }
  bool start_array(std::size_t /*size*/) override { return Open(json::array()); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }

  bool key(string_t& name) override {
    bool is_new = false;
    if (IsElement()) {
      is_new = stream_->add_key(name);
    } else {
      const auto [slot, inserted] = open_.back()->get_ref<json::object_t&>().emplace(name, nullptr);
      is_new = inserted;
      slot_ = &slot->second;
    }
    return is_new || Stop(absl::StrCat("duplicate key ", QuoteExcerpt(name)));
  }

  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const json::exception& error) override {
    // Without the library's own prefix "[json.exception...]".
    std::string text = error.what();
    if (const std::size_t end = text.find("] "); end != text.npos) text.erase(0, end + 2);
    // It quotes what it read last, which may be long, and no text that a message can hold.
    for (char& c : text) {
      if (!absl::ascii_isprint(static_cast<unsigned char>(c))) c = '?';
    }
    return Stop(absl::StrCat("at byte ", position, ": ", Excerpt(text)));
  }

  json TakeValue() { return std::move(root_); }
  const std::string& rule() const { return rule_; }

 private:
  bool Stop(std::string rule) {
    rule_ = std::move(rule);
    return false;
  }

  // Whether what comes next stands directly in what a stream takes.
  bool IsElement() const { return stream_ != nullptr && open_.size() == stream_depth_; }

  json* Place(json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (IsElement()) {
      element_ = std::move(value);
      return &element_;
    }
    if (open_.back()->is_array()) {
      auto& array = open_.back()->get_ref<json::array_t&>();
      array.push_back(std::move(value));
      return &array.back();
    }
    *slot_ = std::move(value);
    return slot_;
  }

  bool Count() {
    if (++values_ <= limits_.max_values) return true;
    return Stop(absl::StrCat("more than ", limits_.max_values, " values"));
  }

  bool Add(json value) {
    if (!Count()) return false;
    Place(std::move(value));
    if (IsElement()) stream_->add_value(element_);
    return true;
  }

  bool Open(json container) {
    if (!Count()) return false;
    if (static_cast<int>(open_.size()) >= limits_.max_depth) {
      return Stop(absl::StrCat("nested deeper than ", limits_.max_depth));
    }
    open_.push_back(Place(std::move(container)));
    if (stream_ == nullptr) FindStream();
    return true;
  }

  // Of the container opened last.
  void FindStream() {
    for (const JsonStream& stream : streams_) {
      const bool same_kind = open_.back()->is_object() == (stream.add_key != nullptr);
      if (same_kind && root_.contains(stream.place) && &root_[stream.place] == open_.back()) {
        stream_ = &stream;
        stream_depth_ = open_.size();
      }
    }
  }

  bool Close() {
    if (IsElement()) stream_ = nullptr;
    open_.pop_back();
    if (IsElement()) stream_->add_value(element_);
    return true;
  }

  const JsonLimits limits_;
  const std::vector<JsonStream>& streams_;
  const JsonStream* stream_ = nullptr;  // of an open container, the one at `stream_depth_`
  std::size_t stream_depth_ = 0;
  json element_;  // of what the stream takes, the one being parsed
  int64_t values_ = 0;
  json root_;
  std::vector<json*> open_;  // from the root inwards; a container does not move while an inner one is open
  json* slot_ = nullptr;     // value of the key read last
  std::string rule_;
};

}  // namespace

absl::StatusOr<json> ParseStrictJson(absl::string_view text, const std::string& name,
                                     const JsonLimits& limits, const std::vector<JsonStream>& streams) {
  if (static_cast<int64_t>(text.size()) > limits.max_bytes) {
    return MakeError(
        Reason::kFileCorrupt,
        absl::StrCat(name, ": ", text.size(), " bytes of JSON, expected at most ", limits.max_bytes),
        {{"file", name}});
  }
  // The library skips a byte order mark; other readers of these files do not.
  if (absl::StartsWith(text, "\xEF\xBB\xBF")) {
    return MakeError(Reason::kFileCorrupt, absl::StrCat(name, ": JSON must not begin with a byte order mark"),
                     {{"file", name}});
  }
  // The library takes NUL for the end and would ignore what follows.
  if (const std::size_t nul = text.find('\0'); nul != absl::string_view::npos) {
    return MakeError(Reason::kFileCorrupt, absl::StrCat(name, ": invalid JSON: NUL at byte ", nul),
                     {{"file", name}});
  }
  StrictBuilder builder(limits, streams);
  if (!json::sax_parse(text.begin(), text.end(), &builder)) {
    return MakeError(Reason::kFileCorrupt, absl::StrCat(name, ": invalid JSON: ", builder.rule()),
                     {{"file", name}});
  }
  return builder.TakeValue();
}

std::string QuoteJson(absl::string_view text) {
  return json(std::string(text)).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string Excerpt(absl::string_view text) {
  if (text.size() <= kExcerptBytes) return std::string(text);
  std::size_t end = kExcerptBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return absl::StrCat(text.substr(0, end), "...");
}

std::string ExcerptJson(const json& value) {
  return Excerpt(value.dump(-1, ' ', false, json::error_handler_t::replace));
}

std::string QuoteExcerpt(absl::string_view text) { return Excerpt(QuoteJson(text)); }

bool IsValidUtf8(absl::string_view text) {
  // A string with an invalid byte is spelled differently by the two ways of handling one.
  const json value = std::string(text);
  return value.dump(-1, ' ', false, json::error_handler_t::replace) ==
         value.dump(-1, ' ', false, json::error_handler_t::ignore);
}

}  // namespace heroq
