#include "common/tokenizer/word_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;

TEST(WordCacheTest, KnownWordsAreAppended) {
  WordCache cache;
  cache.Put("word", {4, 5});
  std::vector<int32_t> ids = {1};
  EXPECT_TRUE(cache.AppendTo("word", &ids));
  EXPECT_FALSE(cache.AppendTo("other", &ids));
  EXPECT_THAT(ids, ElementsAre(1, 4, 5));
}

TEST(WordCacheTest, LongWordsAreNotKept) {
  WordCache cache;
  cache.Put(std::string(257, 'x'), {1});
  std::vector<int32_t> ids;
  EXPECT_FALSE(cache.AppendTo(std::string(257, 'x'), &ids));
}

TEST(WordCacheTest, FullCacheKeepsWhatItHas) {
  WordCache cache;
  cache.Put("first", {7});
  constexpr int kMoreThanItHolds = 200'000;  // 16 x 8192 fit
  for (int i = 0; i < kMoreThanItHolds; ++i) cache.Put(absl::StrCat("w", i), {i});
  std::vector<int32_t> ids;
  EXPECT_TRUE(cache.AppendTo("first", &ids));
  int kept = 0;
  for (int i = 0; i < kMoreThanItHolds; ++i) kept += cache.AppendTo(absl::StrCat("w", i), &ids) ? 1 : 0;
  EXPECT_LT(kept, 16 * 8192);
  EXPECT_GT(kept, 16 * 8192 * 9 / 10);
}

}  // namespace
}  // namespace heroq
