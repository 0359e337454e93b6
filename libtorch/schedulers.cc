#include "libtorch/schedulers.h"

#include <optional>
#include <utility>

namespace ingot::libtorch {
namespace {

// step_count_ is protected: a derived class may name it, for any LRScheduler.
struct StepCount : torch::optim::LRScheduler {
  static constexpr auto kMember = &StepCount::step_count_;
};

unsigned& step_count(torch::optim::LRScheduler& scheduler) { return scheduler.*StepCount::kMember; }

// LibTorch's ReduceLROnPlateauScheduler keeps its counters private and has no accessors. Access is
// not checked in an explicit instantiation (C++20, [temp.spec.general]/6), which is the one way the
// language has to name them.
template <typename Tag, typename Tag::Member member>
struct Reveal {
  friend typename Tag::Member member_of(Tag) { return member; }
};
#define INGOT_REVEAL(name, type, field)                              \
  struct name {                                                      \
    using Member = type torch::optim::ReduceLROnPlateauScheduler::*; \
    friend Member member_of(name);                                   \
  };                                                                 \
  template struct Reveal<name, &torch::optim::ReduceLROnPlateauScheduler::field>
INGOT_REVEAL(Best, float, best);
INGOT_REVEAL(BadEpochs, int, num_bad_epochs);
INGOT_REVEAL(LastEpoch, int, last_epoch);
INGOT_REVEAL(CooldownCounter, int, cooldown_counter);
#undef INGOT_REVEAL

// Of a dict; nullopt unless it is there and of that type.
template <typename T>
std::optional<T> entry(const StateView& view, const char* key) {
  const std::optional<StateView> found =
      view.kind() == StateKind::kDict ? view.find(key) : std::nullopt;
  T value{};
  if (!found || !from_state(*found, value)) return std::nullopt;
  return value;
}

bool is_class(const StateView& view, std::string_view name) {
  return entry<std::string>(view, "class") == name;
}

const char* class_of(const torch::optim::LRScheduler& scheduler) {
  return dynamic_cast<const torch::optim::StepLR*>(&scheduler) != nullptr ? "StepLR"
                                                                          : "LRScheduler";
}

}  // namespace

// PyTorch's last_epoch is the number of steps, as is LibTorch's step_count_.
Parts::Value scheduler_part(std::string name, torch::optim::LRScheduler& scheduler) {
  Parts::Value part;
  part.name = std::move(name);
  part.save = [&scheduler] {
    StateValue dict = StateValue::dict();
    dict.set("class", StateValue::string(class_of(scheduler)));
    dict.set("last_epoch", to_state(step_count(scheduler)));
    return dict;
  };
  part.load = [&scheduler](const StateView& view) -> std::function<void()> {
    const auto steps = entry<unsigned>(view, "last_epoch");
    if (!steps || !is_class(view, class_of(scheduler))) return nullptr;
    return [&scheduler, steps = *steps] { step_count(scheduler) = steps; };
  };
  return part;
}

Parts::Value scheduler_part(std::string name, torch::optim::ReduceLROnPlateauScheduler& scheduler) {
  static constexpr const char* kClass = "ReduceLROnPlateau";
  Parts::Value part;
  part.name = std::move(name);
  part.save = [&scheduler] {
    StateValue dict = StateValue::dict();
    dict.set("class", StateValue::string(kClass));
    dict.set("best", to_state(scheduler.*member_of(Best())));
    dict.set("num_bad_epochs", to_state(scheduler.*member_of(BadEpochs())));
    dict.set("last_epoch", to_state(scheduler.*member_of(LastEpoch())));
    dict.set("cooldown_counter", to_state(scheduler.*member_of(CooldownCounter())));
    return dict;
  };
  part.load = [&scheduler](const StateView& view) -> std::function<void()> {
    const auto best = entry<float>(view, "best");
    const auto bad_epochs = entry<int>(view, "num_bad_epochs");
    const auto last_epoch = entry<int>(view, "last_epoch");
    const auto cooldown = entry<int>(view, "cooldown_counter");
    if (!best || !bad_epochs || !last_epoch || !cooldown || !is_class(view, kClass)) return nullptr;
    return [&scheduler, best = *best, bad_epochs = *bad_epochs, last_epoch = *last_epoch,
            cooldown = *cooldown] {
      scheduler.*member_of(Best()) = best;
      scheduler.*member_of(BadEpochs()) = bad_epochs;
      scheduler.*member_of(LastEpoch()) = last_epoch;
      scheduler.*member_of(CooldownCounter()) = cooldown;
    };
  };
  return part;
}

}  // namespace ingot::libtorch
