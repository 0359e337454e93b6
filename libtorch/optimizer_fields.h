// The options and the state of LibTorch's optimizers, field by field, under the names that Python's
// PyTorch gives them. A visitor is called with each name and a reference to the field; the same
// lists serve writing and reading.
#pragma once

#include <torch/torch.h>

namespace ingot::libtorch {

template <typename Visitor>
void visit(torch::optim::SGDOptions& options, Visitor&& field) {
  field("lr", options.lr());
  field("momentum", options.momentum());
  field("dampening", options.dampening());
  field("weight_decay", options.weight_decay());
  field("nesterov", options.nesterov());
}
template <typename Visitor>
void visit(torch::optim::SGDParamState& state, Visitor&& field) {
  field("momentum_buffer", state.momentum_buffer());
}

// Adam and AdamW have the same fields.
template <typename Options, typename Visitor>
void visit_adam_options(Options& options, Visitor&& field) {
  field("lr", options.lr());
  field("betas", options.betas());
  field("eps", options.eps());
  field("weight_decay", options.weight_decay());
  field("amsgrad", options.amsgrad());
}
template <typename State, typename Visitor>
void visit_adam_state(State& state, Visitor&& field) {
  field("step", state.step());
  field("exp_avg", state.exp_avg());
  field("exp_avg_sq", state.exp_avg_sq());
  field("max_exp_avg_sq", state.max_exp_avg_sq());
}
template <typename Visitor>
void visit(torch::optim::AdamOptions& options, Visitor&& field) {
  visit_adam_options(options, field);
}
template <typename Visitor>
void visit(torch::optim::AdamParamState& state, Visitor&& field) {
  visit_adam_state(state, field);
}
template <typename Visitor>
void visit(torch::optim::AdamWOptions& options, Visitor&& field) {
  visit_adam_options(options, field);
}
template <typename Visitor>
void visit(torch::optim::AdamWParamState& state, Visitor&& field) {
  visit_adam_state(state, field);
}

template <typename Visitor>
void visit(torch::optim::RMSpropOptions& options, Visitor&& field) {
  field("lr", options.lr());
  field("alpha", options.alpha());
  field("eps", options.eps());
  field("weight_decay", options.weight_decay());
  field("momentum", options.momentum());
  field("centered", options.centered());
}
template <typename Visitor>
void visit(torch::optim::RMSpropParamState& state, Visitor&& field) {
  field("step", state.step());
  field("square_avg", state.square_avg());
  field("momentum_buffer", state.momentum_buffer());
  field("grad_avg", state.grad_avg());
}

template <typename Visitor>
void visit(torch::optim::AdagradOptions& options, Visitor&& field) {
  field("lr", options.lr());
  field("lr_decay", options.lr_decay());
  field("weight_decay", options.weight_decay());
  field("initial_accumulator_value", options.initial_accumulator_value());
  field("eps", options.eps());
}
template <typename Visitor>
void visit(torch::optim::AdagradParamState& state, Visitor&& field) {
  field("step", state.step());
  field("sum", state.sum());
}

template <typename Visitor>
void visit(torch::optim::LBFGSOptions& options, Visitor&& field) {
  field("lr", options.lr());
  field("max_iter", options.max_iter());
  field("max_eval", options.max_eval());
  field("tolerance_grad", options.tolerance_grad());
  field("tolerance_change", options.tolerance_change());
  field("history_size", options.history_size());
  field("line_search_fn", options.line_search_fn());
}
template <typename Visitor>
void visit(torch::optim::LBFGSParamState& state, Visitor&& field) {
  field("func_evals", state.func_evals());
  field("n_iter", state.n_iter());
  field("t", state.t());
  field("prev_loss", state.prev_loss());
  field("d", state.d());
  field("H_diag", state.H_diag());
  field("prev_flat_grad", state.prev_flat_grad());
  field("old_dirs", state.old_dirs());
  field("old_stps", state.old_stps());
  field("ro", state.ro());
  field("al", state.al());
}

}  // namespace ingot::libtorch
