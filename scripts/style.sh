#!/usr/bin/env bash
# style.sh format|python|shell: whether the C++ is as .clang-format says and the Python as black does, and whether shellcheck has
# nothing to say.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

case ${1:-} in
    format) cxx_files | xargs -0 -n 40 -P "$(nproc)" clang-format-19 --dry-run -Werror ;;
    python) our_files '*.py' | xargs -0 black --quiet --check || die "not as black formats it: ./dev fmt" ;;
    shell) { our_files '*.sh' && printf '%s\0' dev .ci/run; } | xargs -0 shellcheck -x ;;
    *) die "style.sh format|python|shell" ;;
esac
