# shellcheck shell=bash disable=SC2034,SC2154
# Timing. Sourced by tools/bench.
#
# Every measurement is a line of samples.tsv: row, tool, value, and 'ok', 'over'
# (it was stopped when it had taken so long), 'failed' or 'wrong' (what it gave
# was not what had been put in).

short=3 # seconds; what takes less is repeated
rounds=${quick:+3}
rounds=${rounds:-5}
limit=1800 # seconds, for any one thing
mount_limit=${quick:+60}
mount_limit=${mount_limit:-150} # and for what is done in a mount

# wants ROW...: whether any of them was asked for.
wants() {
	local row w
	[ ${#wanted[@]} -gt 0 ] || return 0
	for row; do
		for w in "${wanted[@]}"; do
			[[ $row != "$w"* && $w != "$row"* ]] || return 0
		done
	done
	return 1
}

# note ROW VALUE [FLAG]: of the tool at work.
note() {
	printf '%s\t%s\t%s\t%s\n' "$1" "$tool" "$2" "${3:-ok}" \
	    >>"$out/samples.tsv"
	printf '%-16s %-10s %s %s\n' "$1" "$tool" "$2" \
	    "$([ "${3:-ok}" = ok ] || echo "$3")" >&2
}

cold() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
}

# warm DIRECTORY: its names and its bytes are in the kernel's cache.
warm() {
	find "$1" -type f -print0 | xargs -0 cat >/dev/null
}

# timed COMMAND...: its output in $work/out; $seconds and $mib (peak memory) are
# what it took, $flag how it went.
timed() {
	local begin=$EPOCHREALTIME end status=0
	command time -q -o "$work/time" -f %M timeout -k 10 "$limit" "$@" \
	    >"$work/out" 2>"$work/err" </dev/null || status=$?
	end=$EPOCHREALTIME
	seconds=$(awk -v a="$begin" -v b="$end" \
	    'BEGIN { printf "%.4f", b - a }')
	mib=$(awk 'END { printf "%.0f", $1 / 1024 }' "$work/time")
	case $status in
	0) flag=ok ;;
	124 | 137) flag=over seconds=$limit ;;
	*)
		flag=failed
		tail -n 3 "$work/err" >&2
		;;
	esac
}

# action ACTION [ARGUMENT]: what the tool does for it, timed.
action() {
	"${tool}_command" "$@" || return 1
	timed "${run[@]}"
}

# is_short: whether what was just timed bears repeating.
is_short() {
	[ "$flag" = ok ] && [ "$(awk -v s="$seconds" -v l=$short \
	    'BEGIN { print s < l }')" = 1 ]
}

# in_turn FUNCTION SET TOOL...: FUNCTION once for each tool; then again, in turn,
# for those that are quick. It does one timed() thing, last but for checks.
in_turn() {
	local what=$1 on=$2 t again next i
	shift 2
	again=("$@")
	for ((i = 0; i < rounds; i++)); do
		next=()
		for t in "${again[@]}"; do
			use "$t" "$on"
			"$what" || continue
			! is_short || next+=("$t")
		done
		again=("${next[@]}")
	done
}

# those TOOL...: which of them take part; varve_key and cp, which is given
# varve's store to copy, wherever varve does.
those() {
	local t with u
	for t; do
		case $t in
		varve_key | cp) with=varve ;;
		*) with=$t ;;
		esac
		for u in "${tools[@]}"; do
			[ "$with" != "$u" ] || echo "$t"
		done
	done
}

# same_tree DIRECTORY: whether it is $source again, but for DIRECTORY itself,
# whose own metadata not every tool gives back.
same_tree() {
	[ -z "$(rsync -aHnci --delete "$source/" "$1/" 2>&1 |
	    grep -v ' \./$' | head -n 1)" ]
}

# --- what other programs of this folder measure -----------------------------

# helpers: whether the programs beside varve in its build are there.
helpers() {
	[ -n "$helpers" ] || {
		say "$varve is no build of ours: $1 is left out"
		return 1
	}
}

# measure_lasting NAME COMMAND...: what it prints is what NAME.txt has from now
# on; where it fails, that stays as it was.
measure_lasting() {
	local name=$1
	shift
	{
		described=$work/machine.tsv conditions "$(varve_version)"
		echo
		"$@"
	} >"$work/lasting" || {
		cat "$work/lasting" >&2
		say "$name failed"
		return 0
	}
	cp "$work/lasting" "$out/$name.txt"
}

# The parts of a backup beside their libraries, in one process.
measure_parts() {
	local tmp=$work
	helpers parts || return 0
	[ ! -d /dev/shm ] || tmp=/dev/shm
	measure_lasting parts env "TMPDIR=$tmp" "$helpers/parts/parts" -- \
	    "$work/source/k"
}

# Much of everything: no other tool is asked.
measure_scale() {
	helpers scale || return 0
	measure_lasting scale env "VARVE=$varve" "BIN=$helpers/large" \
	    "WORK=$work" "$parts/scale"
}

# measure_by_script NAME: the figures that tests/bench/NAME prints.
measure_by_script() {
	local row value
	[ -x "$parts/$1" ] || {
		say "there is no $1 to run"
		return
	}
	VARVE=$varve RESTIC=$restic WORK=$work "$parts/$1" \
	    ${quick:+--quick} >"$work/figures" || {
		say "$1 failed"
		return
	}
	while IFS=$'\t' read -r row tool value; do
		note "$row" "$value"
	done <"$work/figures"
}
