#include "coordinator/service/job_events.h"

#include <vector>

#include "coordinator/service/job_event_text.h"

namespace heroq {
namespace {

constexpr std::size_t kMaxWaitingEvents = 256;
constexpr std::size_t kMaxKeptEvents = 4096;

}  // namespace

JobSubscription::Next JobSubscription::Take() {
  absl::MutexLock lock(&mutex_);
  Next next;
  next.refresh = std::exchange(refresh_, false);
  if (!events_.empty()) {
    next.event = std::move(events_.front());
    events_.pop_front();
  }
  return next;
}

void JobSubscription::Add(const v1::JobEvent& event) {
  absl::MutexLock lock(&mutex_);
  events_.push_back(event);
  if (events_.size() > kMaxWaitingEvents) events_.pop_front();
}

void JobSubscription::Refresh() {
  absl::MutexLock lock(&mutex_);
  refresh_ = true;
}

JobEvents::JobEvents(CoordinatorStore& store) : store_(store), sequence_(store.Snapshot()->sequence) {
  listener_ = store.AddListener(
      [this](const v1::Update& update, const std::shared_ptr<const CoordinatorState>&) { OnUpdate(update); });
}

JobEvents::~JobEvents() { store_.RemoveListener(listener_); }

std::shared_ptr<JobSubscription> JobEvents::Subscribe(const std::string& job_id, int64_t after_sequence,
                                                      std::function<void()> wake) {
  std::shared_ptr<JobSubscription> subscription(new JobSubscription(job_id, std::move(wake)));
  absl::MutexLock lock(&mutex_);
  if (after_sequence > 0) {
    for (const auto& [job, event] : kept_) {
      if (job == job_id && event.sequence() > after_sequence) subscription->Add(event);
    }
  }
  subscriptions_.emplace(job_id, subscription);
  return subscription;
}

void JobEvents::RefreshAll() {
  std::vector<std::shared_ptr<JobSubscription>> woken;
  {
    absl::MutexLock lock(&mutex_);
    for (auto entry = subscriptions_.begin(); entry != subscriptions_.end();) {
      if (auto subscription = entry->second.lock()) {
        woken.push_back(std::move(subscription));
        ++entry;
      } else {
        entry = subscriptions_.erase(entry);
      }
    }
  }
  for (const auto& subscription : woken) {
    subscription->Refresh();
    subscription->wake_();
  }
}

int64_t JobEvents::DeliveredSequence() const {
  absl::MutexLock lock(&mutex_);
  return sequence_;
}

void JobEvents::OnUpdate(const v1::Update& update) {
  std::optional<JobUpdateText> text = DescribeUpdate(update);
  std::vector<std::shared_ptr<JobSubscription>> woken;
  {
    absl::MutexLock lock(&mutex_);
    ++sequence_;
    if (!text.has_value()) return;
    text->event.set_sequence(sequence_);
    kept_.emplace_back(text->job_id, text->event);
    if (kept_.size() > kMaxKeptEvents) kept_.pop_front();
    const auto [begin, end] = subscriptions_.equal_range(text->job_id);
    for (auto entry = begin; entry != end; ++entry) {
      if (auto subscription = entry->second.lock()) {
        subscription->Add(text->event);
        woken.push_back(std::move(subscription));
      }
    }
  }
  for (const auto& subscription : woken) subscription->wake_();
}

}  // namespace heroq
