#include "coordinator/client/job_flags.h"

#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "coordinator/planning/method_description.h"

namespace heroq {
namespace {

const CLI::IsMember kSwitch({"on", "off"});
// Zero asks a server for its default; on the command line that is leaving the flag out.
const CLI::Range kManyTokens(1, 1 << 20);
const CLI::Validator kAboveZero(
    [](std::string& text) {
      double value = 0;
      const bool valid = absl::SimpleAtod(text, &value) && std::isfinite(value) && value > 0;
      return valid ? std::string() : "Value " + text + " is not a number above 0";
    },
    "");

void AddScheme(CLI::App& command, JobFlags& flags) {
  command
      .add_option("--method", flags.method,
                  "Algorithm: gptq (default), hero-q (gptq in better-conditioned bases: most accurate), awq "
                  "(rounding after "
                  "scaling up important channels), smoothquant (part of the activations' range moved into "
                  "the weights, "
                  "for quantized activations), dash-q (diagonal curvature: few tokens suffice) or rtn (no "
                  "calibration)")
      ->type_name(absl::StrJoin(KnownMethods(), "|"))
      ->check(CLI::IsMember(KnownMethods()))
      ->group("Scheme");
  command.add_option("--bits", flags.bits, "Bits of a weight, 2 to 8; default 4")
      ->type_name("N")
      ->check(CLI::Range(2, 8))
      ->group("Scheme");
  command
      .add_option(
          "--activation-bits", flags.activation_bits,
          "Bits of an activation, rounded at run time with a scale per token; default 16: as they are")
      ->type_name("4|6|8|16")
      ->check(CLI::IsMember({4, 6, 8, 16}))
      ->group("Scheme");
  command
      .add_option(
          "--group-size", flags.group_size,
          "Input channels that share a scale: a number, channel for one scale per output channel, or auto "
          "(default): the largest of 128, 64, 32 that fits the model, and channel for 8-bit weights with "
          "quantized activations")
      ->type_name("auto|N|channel")
      ->group("Scheme");
  command
      .add_option("--symmetric", flags.symmetric,
                  "Whether the zero point is fixed; auto (default): off for 4 and 8 bits with activations as "
                  "they are, "
                  "on elsewhere")
      ->type_name("auto|on|off")
      ->check(CLI::IsMember({"auto", "on", "off"}))
      ->group("Scheme");
  command
      .add_option("--override", flags.overrides,
                  "Another scheme for linears whose name matches: parts w8, a8, g64 or channel, sym or asym, "
                  "or keep; "
                  "repeatable, the first match applies")
      ->type_name("REGEX=SCHEME")
      ->allow_extra_args(false)
      ->group("Scheme");
  command
      .add_option("--keep", flags.keep,
                  "Leave linears whose name matches as they are; before every --override")
      ->type_name("REGEX")
      ->allow_extra_args(false)
      ->group("Scheme");
  command
      .add_option("--act-order", flags.act_order,
                  "gptq, also as base: columns in order of decreasing importance; default on")
      ->type_name("on|off")
      ->check(kSwitch)
      ->group("Scheme");
  command
      .add_option("--scale-search", flags.scale_search,
                  "rtn, gptq, awq, also as base: search a shrink factor of the range per group; default on")
      ->type_name("on|off")
      ->check(kSwitch)
      ->group("Scheme");
  command
      .add_option("--damping", flags.damping,
                  "gptq, also as base: share of the mean diagonal added to the diagonal; default 0.01")
      ->type_name("X")
      ->group("Scheme");
  command
      .add_option("--scale-steps", flags.scale_steps,
                  "awq, also as base: exponents of the channel scales to try, 1 to 100; default 20")
      ->type_name("N")
      ->check(CLI::Range(1, 100))
      ->group("Scheme");
  command
      .add_option("--strength", flags.strength,
                  "smoothquant: share of the activations' range that moves into the weights, 0 to 1; default "
                  "0.5")
      ->type_name("X")
      ->check(CLI::Range(0.0, 1.0))
      ->group("Scheme");
  command
      .add_option("--fit-rounds", flags.fit_rounds,
                  "dash-q: rounds of assigning codes and refitting scales, 1 to 100; default 9")
      ->type_name("N")
      ->check(CLI::Range(1, 100))
      ->group("Scheme");
  command
      .add_option("--fit-damped", flags.fit_damped,
                  "dash-q: take half of each refit and damp it, as in the paper; default off")
      ->type_name("on|off")
      ->check(kSwitch)
      ->group("Scheme");
  command
      .add_option("--fit-float-offset", flags.fit_float_offset,
                  "dash-q: any real offset of a group, as in the paper; the output is dense; default off")
      ->type_name("on|off")
      ->check(kSwitch)
      ->group("Scheme");
  command.add_flag("--strict", flags.strict, "Fail where the report would warn about a linear")
      ->group("Scheme");
}

void AddCalibration(CLI::App& command, JobFlags& flags) {
  command
      .add_option("--calibration", flags.calibration,
                  "Calibration text: plain text, or JSON lines with a text field (.jsonl); one or more files")
      ->type_name("TEXT...")
      ->group("Calibration");
  command
      .add_option(
          "--calibration-tokens", flags.calibration_tokens,
          "Calibration token ids instead of text: safetensors with input_ids int32 [sequences, length]")
      ->type_name("FILE")
      ->group("Calibration");
  command.add_option("--samples", flags.samples, "Sequences; default 128")
      ->type_name("N")
      ->check(kManyTokens)
      ->group("Calibration");
  command.add_option("--sequence-length", flags.sequence_length, "Tokens of a sequence; default 2048")
      ->type_name("N")
      ->check(kManyTokens)
      ->group("Calibration");
  command.add_option("--shards", flags.shards, "Parts that statistics are summed over; default 8")
      ->type_name("N")
      ->check(CLI::Range(1, 4096))
      ->group("Calibration");
  command.add_option("--seed", flags.seed, "Seed of random choices; default 0")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber)
      ->group("Calibration");
  command
      .add_option(
          "--propagation", flags.propagation,
          "Inputs a block is calibrated on: of the original model (full-precision, default) or of the blocks "
          "quantized before it")
      ->type_name("full-precision|quantized")
      ->check(CLI::IsMember({"full-precision", "quantized"}))
      ->group("Calibration");
}

void AddEvaluation(CLI::App& command, JobFlags& flags) {
  command
      .add_option("--evaluation", flags.evaluation,
                  "Held-out text on which perplexity and KL divergence are measured; one or more files")
      ->type_name("TEXT...")
      ->group("Evaluation");
  command
      .add_option("--evaluation-tokens", flags.evaluation_tokens,
                  "Held-out token ids instead of text: safetensors with input_ids int32 [sequences, length]")
      ->type_name("FILE")
      ->group("Evaluation");
  command.add_option("--evaluation-sequences", flags.evaluation_sequences, "Windows of the text; default 32")
      ->type_name("N")
      ->check(kManyTokens)
      ->group("Evaluation");
  command.add_option("--evaluation-length", flags.evaluation_length, "Tokens of a window; default 512")
      ->type_name("N")
      ->check(CLI::Range(2, 1 << 20))
      ->group("Evaluation");
  command
      .add_option("--max-perplexity-ratio", flags.max_perplexity_ratio,
                  "Fail when perplexity grows by more than this factor")
      ->type_name("X")
      ->check(kAboveZero)
      ->group("Evaluation");
  command.add_option("--max-kl", flags.max_kl, "Fail when the KL divergence exceeds this, in nats per token")
      ->type_name("X")
      ->check(kAboveZero)
      ->group("Evaluation");
}

void AddOutput(CLI::App& command, JobFlags& flags) {
  command
      .add_option(
          "--format", flags.format,
          "Checkpoint format; default compressed-tensors. gptq and gptq_v2 are for GPTQModel and what "
          "builds on it, zero points need gptq_v2; dense is not compressed, for research")
      ->type_name("compressed-tensors|gptq|gptq_v2|dense")
      ->check(CLI::IsMember({"compressed-tensors", "gptq", "gptq_v2", "dense"}))
      ->group("Output");
  command.add_option("--max-shard-size", flags.max_shard_size, "Largest weight file; default 5GB")
      ->type_name("SIZE")
      ->group("Output");
  command
      .add_option("--tensor-parallel", flags.tensor_parallel,
                  "Tensor parallelism the checkpoint must allow; default 1")
      ->type_name("N")
      ->check(CLI::Range(1, 1024))
      ->group("Output");
}

// Part of the job: all but the memory is part of the numeric result.
void AddComputation(CLI::App& command, JobFlags& flags) {
  command
      .add_option("--compute", flags.compute,
                  "Type of the forward pass; auto (default): bf16 for bf16 and f16 models, f32 else")
      ->type_name("auto|bf16|f32")
      ->check(CLI::IsMember({"auto", "bf16", "f32"}))
      ->group("Computation");
  command
      .add_option("--micro-batch", flags.micro_batch,
                  "Sequences per forward call; default: as many as make 2048 tokens")
      ->type_name("N")
      ->check(CLI::Range(1, 4096))
      ->group("Computation");
  command.add_option("--threads", flags.threads, "Threads of one task; default 1")
      ->type_name("N")
      ->check(CLI::Range(1, 256))
      ->group("Computation");
  command
      .add_option(
          "--memory", flags.memory,
          "What each worker may allocate, enforced for local workers; a job that may need more is refused")
      ->type_name("SIZE")
      ->group("Computation");
}

}  // namespace

void AddJobFlags(CLI::App& command, JobFlagSet set, JobFlags& flags) {
  if (set == JobFlagSet::kQuantize) {
    command.add_option("MODEL", flags.model, "Model directory (config.json, safetensors, tokenizer.json)");
    command.add_option("--output", flags.output, "Directory to publish; must not exist")->type_name("DIR");
    command
        .add_option("--spec", flags.spec_file,
                    "Job specification (YAML or JSON of JobSpec); flags override it")
        ->type_name("FILE");
    AddScheme(command, flags);
    AddTransformFlags(command, flags.transform);
    AddBranchFlags(command, flags.branch);
    AddCalibration(command, flags);
  }
  AddEvaluation(command, flags);
  if (set == JobFlagSet::kQuantize) AddOutput(command, flags);
  AddComputation(command, flags);
}

}  // namespace heroq
