# shellcheck shell=bash disable=SC2016,SC2034,SC2154
# What is done in a mount, by the programs that people use there. Sourced by
# tools/bench.

mounted= # the process that serves $mnt

# start_mount: $seconds until the newest snapshot can be listed.
start_mount() {
	local begin=$EPOCHREALTIME
	"${tool}_command" mount || return 1
	"${run[@]}" >"$work/mount.log" 2>&1 </dev/null &
	mounted=$!
	until [ -n "$(ls -A "$("${tool}_newest")" 2>/dev/null)" ]; do
		kill -0 $mounted 2>/dev/null || {
			mounted=
			flag=failed seconds=0
			tail -n 3 "$work/mount.log" >&2
			return 0
		}
		sleep 0.002
	done
	flag=ok
	seconds=$(awk -v a="$begin" -v b="$EPOCHREALTIME" \
	    'BEGIN { printf "%.4f", b - a }')
}

unmount() {
	[ -n "$mounted" ] || return 0
	fusermount3 -u "$mnt" 2>/dev/null || umount -l "$mnt"
	wait "$mounted" 2>/dev/null || true
	mounted=
}

peak_memory() {
	awk '/^VmHWM/ { printf "%.0f", $2 / 1024 }' "/proc/$mounted/status"
}

# sample_same DIRECTORY: whether every file's name and size, and the bytes of
# some, are those of $source. (Reading all of it takes minutes in some mounts;
# where it takes seconds, all is compared.)
sample_same() {
	local step
	cmp -s <(cd "$source" && find . -type f -printf '%s %p\n' | sort) \
	    <(cd "$1" && find . -type f -printf '%s %p\n' | sort) || return 1
	case $tool in
	varve*)
		same_tree "$1"
		return
		;;
	esac
	step=$(($(find "$source" -type f | wc -l) / 200 + 1))
	(cd "$source" && find . -type f -print0) | sort -z |
	    awk -v RS='\0' -v ORS='\0' -v step=$step 'NR % step == 0' |
	    (cd "$1" && xargs -0 -I '{}' cmp -s "$source/{}" '{}')
}

# --- K ----------------------------------------------------------------------

mount_and_list() {
	start_mount || return 1
	note k-mount "$seconds" "$flag"
	unmount
}

find_all() {
	cold
	timed find "$1" -printf '%s\n'
	note k-mount-find "$seconds" "$flag"
}

cat_all() {
	cold
	timed sh -c 'find "$1" -type f -print0 | xargs -0 cat >/dev/null' \
	    - "$1"
	note k-mount-cat "$seconds" "$flag"
}

tar_all() {
	timed sh -c 'tar -C "$1" -cf - . | cat >/dev/null' - "$1"
	note k-mount-tar "$seconds" "$flag"
}

# diff_two ROW A B FILES: how many files 'diff' should tell of.
diff_two() {
	timed sh -c 'diff -rq --no-dereference "$1" "$2" || [ $? = 1 ]' \
	    - "$2" "$3"
	[ "$flag" != ok ] || [ "$(wc -l <"$work/out")" = "$4" ] || flag=wrong
	note "$1" "$seconds" "$flag"
}

# A file of one snapshot, read from another while the process that serves the
# mount is stopped: what needs no answer from it comes from the kernel's cache.
shared_file() {
	local file how='all'
	cat "$1/$one" >/dev/null
	file=$2/$one
	stat "$file" >/dev/null
	exec 8<"$file"
	kill -STOP "$mounted"
	if timeout 2 cat "$file" >/dev/null; then
		how='none'
	elif timeout 2 cat <&8 >/dev/null; then
		how='the open'
	fi
	kill -CONT "$mounted"
	exec 8<&-
	note k-mount-shared "$how"
}

in_k_mount() {
	local all limit=$mount_limit
	warm_repository
	start_mount || return 1
	if [ "$flag" != ok ]; then
		note k-mount-find 0 failed
		return
	fi
	mapfile -t all < <("${tool}_snapshots")
	find_all "${all[0]}"
	! wants k-mount-cat || cat_all "${all[0]}"
	! wants k-mount-tar || tar_all "${all[0]}"
	if [ ${#all[@]} -ge 3 ]; then
		! wants k-mount-equal ||
			diff_two k-mount-equal "${all[0]}" "${all[1]}" 0
		! wants k-mount-differ ||
			diff_two k-mount-differ "${all[-2]}" "${all[-1]}" 100
		case $tool in
		varve) shared_file "${all[0]}" "${all[1]}" ;;
		esac
		sample_same "$("${tool}_newest")" ||
			note k-mount-find 0 wrong
	fi
	note k-mount-memory "$(peak_memory)"
	unmount
}

warm_repository() {
	find "$repository" -type f -print0 | xargs -0 cat >/dev/null
}

# shellcheck disable=SC2046
measure_k_mounts() {
	in_turn mount_and_list k $(those varve varve_key restic borg squashfs)
	for_each in_k_mount k $(those varve restic borg squashfs)
}

# --- M ----------------------------------------------------------------------

# mb_per_s BYTES: what $seconds make of it, in MB/s.
mb_per_s() {
	awk -v b="$1" -v s="$seconds" 'BEGIN { printf "%.1f", b / s / 1e6 }'
}

read_through() {
	cold
	timed dd if="$1" of=/dev/null bs=1M status=none
	note m-mount-read "$(mb_per_s "$(stat -c %s "$1")")" "$flag"
}

# read_anywhere ROW FILE: in each round in other places, and those the same for
# every tool.
read_anywhere() {
	local i
	command -v fio >/dev/null || return 0
	for ((i = 0; i < 3; i++)); do
		[ "$1" = m-mount-again ] || cold
		timed fio --name=r --filename="$2" --readonly --rw=randread \
		    --bs=4k --number_ios=4000 --runtime=20 \
		    --randseed=$((7 + i)) --ioengine=psync --invalidate=0 \
		    --output-format=terse --terse-version=3
		note "$1" "$(cut -d ';' -f 8 "$work/out")" "$flag"
		is_short || break
	done
}

in_m_mount() {
	local file limit=$mount_limit
	start_mount || return 1
	if [ "$flag" != ok ]; then
		note m-mount-read 0 failed
		return
	fi
	file=$("${tool}_newest")/mix
	for ((i = 0; i < 3; i++)); do
		read_through "$file"
		is_short || break
	done
	read_anywhere m-mount-random "$file"
	cat "$file" >/dev/null
	read_anywhere m-mount-again "$file"
	cmp -s "$source/mix" "$file" || note m-mount-read 0 wrong
	unmount
}

# shellcheck disable=SC2046
measure_m_mounts() {
	for_each in_m_mount m $(those varve restic borg)
}
