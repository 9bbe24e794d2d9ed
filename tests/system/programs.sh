#!/bin/bash
# Real programs work in a mount as they do on a disk.
. "$(dirname "$0")/lib.sh"

src=$T/source
mkdir -p "$src/text"

part 'making a source'
sqlite3 "$src/data.db" '
	PRAGMA page_size = 8192;
	CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
		WHERE i < 20000)
	INSERT INTO t SELECT i, hex(i * i) || " a row of text" FROM n;
	CREATE INDEX tv ON t (v);'
git init -q "$src/repository"
cd "$src/repository"
git config user.name test
git config user.email test@example.org
for i in 1 2 3 4 5; do
	seq $((i * 1000)) >numbers
	git add numbers
	git commit -q -m "commit $i"
done
git gc -q
git tag -a -m 'a tag' v1
cd /
for i in $(seq 200); do
	seq $i $((i * 7)) >"$src/text/$i"
done
echo 'a needle is here' >>"$src/text/77"
cp "$BIN/samedata" "$src/program"
printf '#!/bin/sh\necho run from "$0"\n' >"$src/script"
chmod +x "$src/script"
head -c 30000000 /dev/urandom >"$src/big"

new_store
backup programs "$src"
mount_store "$T/mnt"
there=$(latest "$T/mnt" programs)

part 'sqlite3 opens a database'
for q in 'PRAGMA integrity_check' 'SELECT count(*), sum(id) FROM t' \
    'SELECT id FROM t WHERE v LIKE "31%" ORDER BY v LIMIT 5'; do
	equal "$(sqlite3 "file:$there/data.db?immutable=1" "$q")" \
	    "$(sqlite3 "$src/data.db" "$q")" "$q"
done
equal "$(sqlite3 "file:$there/data.db?mode=ro" 'SELECT count(*) FROM t')" \
    20000 'rows, opened read-only with locks'

part 'git'
git config --global --add safe.directory '*'
nothing git -C "$there/repository" fsck --full --strict --no-progress
equal "$(git -C "$there/repository" log --oneline | wc -l)" 5 commits
nothing git -C "$there/repository" status --porcelain
nothing git clone -q "$there/repository" "$T/clone"
nothing git -C "$T/clone" fsck --no-progress

part 'programs run'
equal "$("$there/script")" "run from $there/script" 'a script'
nothing "$there/program" "$src/big" "$there/big"

part 'mmap'
nothing "$BIN/samedata" --mapped "$src/big" "$there/big"
nothing "$BIN/samedata" --mapped "$src/data.db" "$there/data.db"

part 'cmp, reading backwards, in the middle, twice at once'
nothing cmp "$src/big" "$there/big"
nothing cmp -i 29999990 "$src/big" "$there/big"
nothing cmp <(tac "$src/text/150") <(tac "$there/text/150")
for off in 29000001 12345678 7 20000000; do
	nothing cmp -i $off -n 100000 "$src/big" "$there/big"
done
echo 3 >/proc/sys/vm/drop_caches
cmp "$src/big" "$there/big" &
first=$!
cmp "$src/big" "$there/big" || fail 'one of two readers'
wait $first || fail 'the other of two readers'

part 'find, grep, du, wc'
equal "$(grep -rl 'a needle' "$there" | sed "s|^$there/||")" text/77 grep
equal "$(find "$there" -name '1[0-9][0-9]' | wc -l)" 100 find
equal "$(find "$there" -newer "$there/text/1" ! -newer "$src/text/200" \
    -name 150 | wc -l)" 1 'find -newer'
equal "$(cat "$there"/text/* | wc -l)" "$(cat "$src"/text/* | wc -l)" lines
equal "$(du -s --apparent-size -b "$there/text/200" | cut -f1)" \
    "$(stat -c %s "$src/text/200")" du

part 'copies'
cp -a "$there/text" "$T/text"
nothing diff -r "$src/text" "$T/text"
tar -C "$there" -cf - . | tar -C "$src" -df - >"$T/out" 2>&1 || {
	cat "$T/out" >&2
	fail 'tar found a difference'
}

part 'the filesystem'
differ "$(stat -f -c %b "$there")" 0 'blocks by statfs'
grep -q " $T/mnt fuse.varve ro," /proc/mounts || fail 'not mounted read-only'

part 'any write is refused'
read_only() {
	run 1 "$@"
	err_has 'Read-only file system'
}
read_only touch "$there/new"
read_only mkdir "$there/new"
read_only rm -f "$there/script"
read_only mv "$there/script" "$there/script2"
read_only ln "$there/script" "$there/script2"
read_only ln -s x "$there/link"
read_only chmod 700 "$there/script"
read_only chown 1 "$there/script"
read_only truncate -s 0 "$there/big"
read_only dd if=/dev/zero of="$there/big" bs=1 count=1 conv=notrunc
read_only setfattr -n user.x -v y "$there/script"
read_only touch "$T/mnt/new"
read_only mkdir "$T/mnt/programs/2020-01-01"
read_only rm "$T/mnt/programs/latest"
