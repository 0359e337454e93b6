# A run made of steps: each is announced, timed and logged; the first that fails ends the run, and
# the summary at the end says what every step took. Source common.sh first.
# shellcheck shell=bash

step_names=()
step_times=()
tests_passed=0
tests_failed=0
ctest_launcher=()  # put before ctest

# step "name" command...
step() {
  local name="$1" start status=0
  shift
  say "${bold}== $name${plain}"
  start="$(now_ms)"
  # In a subshell with its own -e: `|| status=$?` would switch the caller's off.
  set +e
  (set -e; "$@")
  status=$?
  set -e
  step_names+=("$name")
  step_times+=($(($(now_ms) - start)))
  if ((status != 0)); then
    tests_failed=$((tests_failed + 1))  # a step that fails counts as a test that does
    print_summary
    say "${red}FAILED${plain} in step: $name (exit status $status)"
    print_counts
    exit 1
  fi
}

# ctest_step "name" build-folder ctest-arguments...: and counts the tests.
ctest_step() {
  local name="$1" folder="$2" report="$2/Testing/junit.xml" status=0
  shift 2
  mkdir -p "$folder/Testing" && rm -f "$report"
  # Counting comes before stopping, so that the last line is true of a failed run, too.
  count_after() {
    set +e
    ${ctest_launcher[@]+"${ctest_launcher[@]}"} ctest --test-dir "$folder" -j "$INGOT_JOBS" --output-on-failure --no-tests=error \
      --output-junit "$INGOT_ROOT/$report" "$@"
    echo $? >"$folder/Testing/status"
  }
  step "$name" count_after "$@"
  count_tests "$report"
  status="$(<"$folder/Testing/status")"
  if ((status != 0)); then
    print_summary
    say "${red}FAILED${plain} in step: $name (the tests that failed are listed above)"
    print_counts
    exit 1
  fi
}

# Adds up <testsuite tests="…" failures="…" disabled="…" skipped="…">.
count_tests() {
  local text tests failures disabled skipped
  [[ -f "$1" ]] || return 0
  text="$(tr '\n\t' '  ' <"$1" | grep -o '<testsuite [^>]*>')"
  attribute() { sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p" <<<"$text"; }
  tests="$(attribute tests)" failures="$(attribute failures)"
  disabled="$(attribute disabled)" skipped="$(attribute skipped)"
  tests_failed=$((tests_failed + ${failures:-0}))
  tests_passed=$((tests_passed + ${tests:-0} - ${failures:-0} - ${disabled:-0} - ${skipped:-0}))
}

print_summary() {
  local i total=0
  say
  say "${bold}Summary${plain}"
  for i in "${!step_names[@]}"; do
    total=$((total + step_times[i]))
    printf '  %-46s %14s\n' "${step_names[i]}" "$(format_ms "${step_times[i]}")"
  done
  printf '  %-46s %14s\n' "in all" "$(format_ms $total)"
}

print_counts() { say "$tests_passed passed, $tests_failed failed"; }
