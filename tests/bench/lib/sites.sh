# shellcheck shell=bash disable=SC2016,SC2034,SC2154
# Copies at a second site, and giving space back. Sourced by tools/bench.

# can COMMAND: whether this varve has it.
can() {
	"$varve" "$1" --help >/dev/null 2>&1
}

# --- a second site: a directory beside the repository -----------------------

# An empty place that takes copies from the repository.
new_site() {
	rm -rf "$repository.copy" "$repository.request"
	case $tool in
	varve)
		"$varve" serve -q --init --for "$repository" --site copy \
		    --country GB --accreditation none --until 2099-01-01 \
		    --request "$repository.request" "$repository.copy"
		"$varve" site -q add copy "$repository.copy" \
		    "$repository.request"
		;;
	restic) "$restic" -q -r "$repository.copy" init \
	    --from-repo "$repository" --copy-chunker-params ;;
	esac >"$work/out" 2>&1 || {
		cat "$work/out" >&2
		die "$tool cannot make a second site"
	}
}

# The directory of a varve store, copied by cp, has all that replication sends.
copy_command() {
	case $tool in
	varve) run=("$varve" replicate -q copy) ;;
	restic) run=("$restic" -q -r "$repository.copy" copy
	    --from-repo "$repository") ;;
	cp) run=(sh -c 'cp -r "$1" "$2" && sync -f "$2"' - \
	    "$work/varve-$set" "$repository.copy") ;;
	esac
}

# Everything that was backed up is there.
copy_is_whole() {
	case $tool in
	restic) [ "$("$restic" -q -r "$repository.copy" snapshots --compact |
	    wc -l)" = "$("$restic" -q snapshots --compact | wc -l)" ] ;;
	*) cmp -s <(objects "$work/varve-$set") \
	    <(objects "$repository.copy") ;;
	esac
}

# DATASET/CLASS/NAME; files beside the classes are a store's own, as its locks.
objects() {
	(cd "$1/datasets" && find . -mindepth 3 -type f -printf '%p %s\n' | sort)
}

copy() {
	new_site
	copy_command
	timed "${run[@]}"
	[ "$flag" != ok ] || copy_is_whole || flag=wrong
	note "$set-copy" "$seconds" "$flag"
}

copy_again() {
	copy_command
	timed "${run[@]}"
	note "$set-copy-again" "$seconds" "$flag"
}

# shellcheck disable=SC2046
measure_copies() {
	can replicate || {
		say 'this varve has no replicate: no copies'
		return
	}
	export RESTIC_FROM_PASSWORD=$RESTIC_PASSWORD
	in_turn copy "$1" $(those varve restic cp)
	in_turn copy_again "$1" $(those varve restic)
}

# --- 300 snapshots, and half of them gone -----------------------------------

many=${quick:+40}
many=${many:-300}

fill() {
	local i
	fresh
	for ((i = 1; i <= many; i++)); do
		for_change "$i"
		"${tool}_command" backup
		env VARVE_KEY_FILE="$repository.key" "${run[@]}" \
		    >"$work/out" 2>&1 ||
			die "$tool cannot make $many snapshots"
	done
}

# Three files get other bytes that nothing else has.
for_change() {
	local k
	for k in 1 2 3; do
		head -c 20000 /dev/urandom \
		    >"$source/$((($1 * 3 + k) % 1000 + 1))"
	done
}

keep_half() {
	local left
	case $tool in
	varve) run=(sh -c '"$0" expire -q d --keep-last "$1" &&
	    "$0" prune -q' "$varve" $((many / 2))) ;;
	restic) run=("$restic" forget -q --keep-last $((many / 2))
	    --prune) ;;
	esac
	timed "${run[@]}"
	note prune-half "$seconds" "$flag"
	note prune-memory "$mib"
	note prune-stored "$(du -sm "$repository" | cut -f 1)"
}

# shellcheck disable=SC2046
measure_prune() {
	can prune || {
		say 'this varve has no prune: no space is given back'
		return
	}
	for_each fill small $(those varve restic)
	for_each keep_half small $(those varve restic)
	remove_repositories small
}
