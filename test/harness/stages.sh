# Sourced by test and .ci/run: runs stages, counts what their tests print, keeps the totals.
# Totals of an earlier script come in, and are added to, through TESTS_PASSED and TESTS_FAILED.
# shellcheck shell=bash

passed=${TESTS_PASSED:-0}
failed=${TESTS_FAILED:-0}
logs=$clone/build/logs
# Put before what may hang; a killed program is a failed one.
# shellcheck disable=SC2034
time_limit="timeout --kill-after=10 ${STAGE_SECONDS:-600}"
mkdir -p "$logs"

# Each reads a log and prints "PASSED FAILED".
count_gtest() {
    awk '/^\[       OK \]/ {p++} /^\[  FAILED  \] .* ms\)$/ {f++} END {print p + 0, f + 0}'
}
count_regress() { # up to 15: "test a ... ok 7 ms"; later: "ok 1 - a 7 ms"
    awk '/\.\.\. ok |^ok / {p++} /\.\.\. FAILED|^not ok / {f++} END {print p + 0, f + 0}'
}
count_tap() {
    awk '/^ok / && !/# skip/ {p++} /^not ok / && !/# TODO/ {f++} END {print p + 0, f + 0}'
}
# stage NAME COUNTER COMMAND...: a stage that fails without a failed test counts as one failure, and
# so does one in which no test ran.
stage() {
    local counter=$2 log=$logs/$1.log begin=$SECONDS status=0 good bad
    printf '== %-10s ' "$1"
    shift 2
    ("$@") >"$log" 2>&1 </dev/null || status=$?
    read -r good bad < <("$counter" <"$log")
    if [ "$bad" -eq 0 ] && [ $((status != 0 || good == 0)) -eq 1 ]; then
        bad=1
        echo "exit status $status, $good tests passed, none failed" >>"$log"
    fi
    echo "$good passed, $bad failed, $((SECONDS - begin)) s"
    passed=$((passed + good)) failed=$((failed + bad))
    [ "$bad" -eq 0 ] || show_failure "$log"
}

# step NAME COMMAND...: work that holds no tests; counts only when it fails, and then returns 1.
step() {
    local log=$logs/$1.log begin=$SECONDS status=0
    printf '== %-10s ' "$1"
    shift
    ("$@") >"$log" 2>&1 </dev/null || status=$?
    [ $status -eq 0 ] && echo "done, $((SECONDS - begin)) s" && return
    echo "failed with status $status, $((SECONDS - begin)) s"
    failed=$((failed + 1))
    show_failure "$log"
    return 1
}

show_failure() {
    grep -nE -A 8 '^not ok|^\[  FAILED  \] .* ms\)$|: Failure$|error:|AddressSanitizer|^[-+]' "$1" |
        head -n 120 || tail -n 40 "$1"
    echo "-- all of it: $1"
}

closing_line() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}
