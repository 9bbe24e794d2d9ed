# shellcheck shell=bash disable=SC2034,SC2154
# What has to be there before anything is measured: programs, data, a place to
# work in. Sourced by tools/bench.

base=${VARVE_BENCH:-/var/tmp/varve-bench}
data=$base/data

say() {
	printf 'bench: %s\n' "$*" >&2
}

# --- programs ---------------------------------------------------------------

# have PACKAGE: whether it is there, or could be installed.
have() {
	[ -n "$install" ] || return 0
	"$top/tools/install-deps" "$@" >&2 || say "cannot install: $*"
}

build_varve() {
	varve=${VARVE:-}
	helpers=
	if [ -z "$varve" ]; then
		have
		# One of another copy of the sources is of no use.
		[ "$(cat "$base/build.of" 2>/dev/null)" = "$top" ] ||
		    rm -rf "$base/build"
		echo "$top" >"$base/build.of"
		[ -f "$base/build/build.ninja" ] || meson setup \
		    --buildtype=release "$base/build" "$top" >/dev/null
		# shellcheck disable=SC2046
		ninja --quiet -C "$base/build" tools/varve \
		    $(ninja -C "$base/build" -t targets all |
		    sed -n 's,^\(tests/bench/[^.:]*\): .*,\1,p') >&2
		varve=$base/build/tools/varve
		helpers=$base/build/tests/bench
	fi
	varve=$(command -v "$varve") || die "there is no '$VARVE'"
}

# The restic of the next Debian release, a static binary, as far as the machine's
# own package sources lead to one; several versions newer than this release's.
newer_restic() {
	local apt=$base/apt uri options
	restic=${RESTIC:-$base/restic}
	[ ! -x "$restic" ] || return 0
	restic=$(command -v restic || true)
	[ -n "$install" ] && [ -z "${RESTIC:-}" ] || return 0
	uri=$(grep -hE '^(URIs:|deb )' /etc/apt/sources.list \
	    /etc/apt/sources.list.d/* 2>/dev/null |
	    grep -o '[a-z+]*://[^ ]*/debian/\?' | head -n 1)
	[ -n "$uri" ] || return 0
	mkdir -p "$apt/lists/partial"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
	    "$uri trixie main" >"$apt/list"
	options=(-q -o "Dir::Etc::sourcelist=$apt/list"
	    -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$apt/lists")
	(
		cd "$apt"
		apt-get "${options[@]}" update
		apt-get "${options[@]}" download restic
		dpkg -x restic_*.deb x
		cp x/usr/bin/restic "$base/restic"
	) >"$apt/log" 2>&1 || {
		say "no newer restic to be had; this release's is measured"
		return 0
	}
	restic=$base/restic
}

prepare_tools() {
	local t
	mkdir -p "$base"
	build_varve
	for t in 'time fio rsync procps' restic \
	    'borgbackup python3-pyfuse3' bup 'squashfs-tools squashfuse'; do
		# shellcheck disable=SC2086
		have $t
	done
	command -v time >/dev/null || die 'GNU time is missing'
	newer_restic
	IFS=, read -ra tools <<<"${only:-varve,restic,borg,bup,squashfs}"
	for t in "${!tools[@]}"; do
		"${tools[t]}_there" && continue
		say "${tools[t]} is not there, and is left out"
		unset "tools[t]"
	done
}

# --- data -------------------------------------------------------------------

# A kernel's sources, which everybody knows: 78,579 files, 1.3 GB.
prepare_kernel() {
	local x
	[ ! -d "$data/linux" ] || return 0
	say 'fetching the Linux sources'
	mkdir -p "$data"
	x=$(mktemp -d "$data/x.XXXXXX")
	chmod 777 "$x" # apt drops its privileges to download
	(
		cd "$x"
		apt-get -q download linux-source-6.1
		dpkg -x linux-source-6.1_*.deb .
		mkdir linux
		tar -C linux -xf usr/src/linux-source-6.1.tar.xz \
		    --strip-components=1
	) >"$base/log" 2>&1 || {
		cat "$base/log" >&2
		rm -rf "$x"
		die 'the Linux sources (package linux-source-6.1) are needed'
	}
	mv "$x/linux" "$data/linux"
	rm -rf "$x"
}

# A file, half source text and half random.
prepare_mix() {
	[ ! -f "$data/mix/mix" ] || return 0
	say 'making a file of 1 GiB'
	rm -rf "$data/mix.new"
	mkdir -p "$data/mix.new"
	{
		find "$data/linux" -type f -print0 | sort -z |
		    xargs -0 cat 2>/dev/null | head -c 512M || true
		head -c 512M /dev/urandom
	} >"$data/mix.new/mix"
	mv "$data/mix.new" "$data/mix"
}

prepare_data() {
	prepare_kernel
	prepare_mix
}

# --- where to work ----------------------------------------------------------

clean_up() {
	trap - EXIT
	set +e
	cd /
	unmount
	rm -rf "${work:?}"
}

# The sources to back up, in copies that may be changed.
prepare_work() {
	work=$(mktemp -d "$base/work.XXXXXX")
	chmod 755 "$work" # PostgreSQL has a user of its own
	trap clean_up EXIT
	trap 'exit 1' INT TERM HUP
	mnt=$work/mnt
	mkdir "$mnt" "$work/source"
	export VARVE_PASSPHRASE=measured RESTIC_PASSWORD=measured \
	    BORG_PASSPHRASE=measured
	if [ -n "$quick" ]; then
		cp -a "$data/linux/arch" "$work/source/k"
		mkdir "$work/source/m"
		{
			head -c 128M "$data/mix/mix"
			tail -c 128M "$data/mix/mix"
		} >"$work/source/m/mix"
	else
		cp -a "$data/linux" "$work/source/k"
		cp -a "$data/mix" "$work/source/m"
	fi
	mkdir "$work/source/small"
	find "$work/source/k" -type f -size -64k -print0 | sort -z |
	    head -z -n 1000 | awk -v RS='\0' -v to="$work/source/small" \
	    '{ printf "%s%c%s/%d%c", $0, 0, to, NR, 0 }' |
	    xargs -0 -n 2 cp -a
}

# NAME, a tab, and what it is: a line each.
describe_machine() {
	local t
	printf 'date\t%s\n' "$(date -u +%Y-%m-%d)"
	printf 'quick\t%s\n' "$quick"
	printf 'cpu\t%s\n' "$(lscpu |
	    sed -n 's/^Model name: *//p' | head -n 1)"
	printf 'cores\t%s\n' "$(nproc)"
	printf 'memory\t%s GiB\n' "$(awk '/^MemTotal/ {
		printf "%.0f", $2 / 1048576 }' /proc/meminfo)"
	printf 'kernel\t%s\n' "$(uname -sr)"
	printf 'filesystem\t%s\n' "$(findmnt -n -o FSTYPE -T "$work")"
	for t in "${tools[@]}"; do
		printf 'tool\t%s\n' "$("${t}_version")"
	done
	printf 'k\t%s files, %s MB\n' \
	    "$(find "$work/source/k" -type f | wc -l)" \
	    "$(du -sb "$work/source/k" | awk '{ print int($1 / 1e6) }')"
	printf 'm\t%s MiB\n' "$(du -sm "$work/source/m" | cut -f 1)"
}
