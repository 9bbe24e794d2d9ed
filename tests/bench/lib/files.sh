# shellcheck shell=bash disable=SC2154
# Backing up and restoring without a mount. Sourced by tools/bench.

# fresh: an empty repository for the tool at work.
fresh() {
	rm -rf "$repository" "$repository".*
	mkdir "$HOME"
	"${tool}_command" init
	"${run[@]}" >"$work/out" 2>&1 || {
		cat "$work/out" >&2
		die "$tool cannot make a repository"
	}
	[ "$tool" != varve ] || varve_grant
}

first_backup() {
	fresh
	action backup
	note "$set-first" "$seconds" "$flag"
	[ "$set" != k ] || note k-first-memory "$mib"
}

# Of a source that nobody has read for a while.
first_backup_cold() {
	fresh
	cold
	action backup
	note "$set-first-cold" "$seconds" "$flag"
}

stored() {
	note "$set-stored" "$(du -sm "$repository" | cut -f 1)"
}

again() {
	action backup || return 1
	note "$set-again" "$seconds" "$flag"
}

again_cold() {
	"${tool}_command" backup || return 1
	cold
	timed "${run[@]}"
	note "$set-again-cold" "$seconds" "$flag"
}

# What the tool has of its own is in the caches again, too.
again_unmeasured() {
	action backup
}

changed() {
	action backup || return 1
	note k-changed "$seconds" "$flag"
}

list() {
	action list || return 1
	note k-open "$seconds" "$flag"
}

one_file() {
	"${tool}_command" one "$work/one" || return 1
	rm -f "$work/one"
	cold
	timed "${run[@]}"
	[ -f "$work/one" ] || cp "$work/out" "$work/one"
	cmp -s "$source/$one" "$work/one" || flag=wrong
	note "$set-one" "$seconds" "$flag"
}

restore() {
	"${tool}_command" restore "$work/back" || return 1
	cold
	timed "${run[@]}"
	[ "$flag" != ok ] || same_tree "$work/back" || flag=wrong
	note "$set-restore" "$seconds" "$flag"
	rm -rf "$work/back"
}

check() {
	"${tool}_command" check || return 1
	cold
	timed "${run[@]}"
	note "$set-check" "$seconds" "$flag"
}

# A line more in each of 100 files, here and there.
change_100() {
	local step
	step=$(($(find "$work/source/k" -type f | wc -l) / 100))
	find "$work/source/k" -type f -print0 | sort -z |
	    awk -v RS='\0' -v step="$step" -v ORS='\0' \
	        'NR % step == 0 && n++ < 100' |
	    while IFS= read -r -d '' file; do
		    echo 'changed' >>"$file"
	    done
}

# --- the sets ---------------------------------------------------------------

# shellcheck disable=SC2046
measure_k() {
	local first
	first=$(those varve restic borg bup squashfs)
	! wants k-first-cold || in_turn first_backup_cold k \
	    $(those varve restic borg bup)
	sync
	warm "$work/source/k"
	# shellcheck disable=SC2086
	in_turn first_backup k $first
	sync
	# shellcheck disable=SC2086
	for_each stored k $first
	sleep 3 # out of the grain of the source's clock
	if wants k-again-cold; then
		in_turn again_cold k $(those varve varve_key restic borg bup)
		warm "$work/source/k"
		for_each again_unmeasured k $(those varve restic borg bup)
	fi
	in_turn again k $(those varve varve_key restic borg bup)
	change_100
	sleep 3
	for_each changed k $(those varve restic borg bup)
	in_turn list k $(those varve varve_key restic borg)
	! wants k-one || in_turn one_file k \
	    $(those varve varve_key restic borg bup)
	! wants k-restore || in_turn restore k \
	    $(those varve varve_key restic borg bup)
	! wants k-check || in_turn check k $(those varve varve_key restic borg)
	! wants k-mount || measure_k_mounts
	! wants k-copy || measure_copies k
	remove_repositories k
}

# shellcheck disable=SC2046
measure_m() {
	warm "$work/source/m"
	in_turn first_backup m $(those varve restic borg)
	! wants m-restore || in_turn restore m \
	    $(those varve varve_key restic borg)
	! wants m-check || in_turn check m $(those varve varve_key restic borg)
	! wants m-mount || measure_m_mounts
	remove_repositories m
}

# shellcheck disable=SC2046
measure_small() {
	warm "$work/source/small"
	for_each first_unmeasured small $(those varve restic borg bup)
	sleep 3
	in_turn again small $(those varve varve_key restic borg bup)
	remove_repositories small
}

first_unmeasured() {
	fresh
	action backup
	[ "$flag" = ok ] || note small-again 0 failed
}

# for_each FUNCTION SET TOOL...: once, whatever it takes.
for_each() {
	local what=$1 on=$2 t
	shift 2
	for t; do
		use "$t" "$on"
		"$what" || true
	done
}

remove_repositories() {
	local t
	for t in "${tools[@]}" cp; do
		rm -rf "${work:?}/$t-$1" "$work/$t-$1".*
	done
}
