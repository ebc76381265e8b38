/**
 * What a container's shell does before it becomes the program: its own /proc, its mounts, its directory.
 *
 * A mount needs a place, and an image's directories are not on this machine. Nothing is made on the machine's own file
 * systems: a missing place below an existing directory is made in an overlay on that directory, one at the root in a
 * new root that holds what the old one holds. Where the kernel has no overlays, such a directory is built like the
 * root: in memory, with each of its entries mounted into it. All of it is in memory and goes with the container. (mount(8),
 * https://docs.kernel.org/filesystems/overlayfs.html)
 *
 * Arguments: `alone`, or `beside` for a program among those of another; the working directory; the number of mounts;
 * source, target, and ro or rw of each; the command. 125 is what container runtimes exit with when they, not the
 * program, fail.
 */
export const programScript = `fail() { echo "sluice: $*" >&2; exit 125; }
PATH_WANTED=$PATH
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
root= scratch= own= layers=0
need_scratch() {
  [ -z "$scratch" ] || return 0
  scratch=/dev/shm
  mount -t tmpfs -o mode=755 tmpfs "$scratch"
}
fill() {
  for entry in "$1"/* "$1"/.[!.]*; do
    name=\${entry##*/}
    if [ -L "$entry" ]; then cp -P "$entry" "$2/"
    elif [ -d "$entry" ]; then mkdir "$2/$name" && mount --rbind "$entry" "$2/$name"
    elif [ -e "$entry" ]; then : >"$2/$name" && mount --bind "$entry" "$2/$name"
    fi || return 1
  done
}
make_root() {
  # Unbindable for the while: the new root must not hold itself.
  need_scratch && mkdir "$scratch/root" && mount --make-unbindable "$scratch" || return 1
  fill "" "$scratch/root" && mount --make-private "$scratch" || return 1
  root=$scratch/root
}
is_own() {
  for directory in $own; do
    case $1/ in "$directory"/*) return 0 ;; esac
  done
  return 1
}
make_layer() {
  need_scratch || return 1
  layers=$((layers + 1))
  layer=$scratch/layer$layers
  mkdir "$layer" "$layer/upper" "$layer/work" || return 1
  mount -t overlay -o "lowerdir=$root$1,upperdir=$layer/upper,workdir=$layer/work" overlay "$root$1" 2>/dev/null && return 0
  fill "$root$1" "$layer/upper" && mount --rbind "$layer/upper" "$root$1"
}
make_place() {
  parent=$2
  while [ ! -e "$root$parent" ]; do parent=$(dirname "$parent"); done
  if [ "$parent" != / ]; then is_own "$parent" || { make_layer "$parent" && own="$own $parent"; }
  elif [ -z "$root" ]; then make_root
  fi || return 1
  if [ -d "$1" ]; then mkdir -p "$root$2"
  else mkdir -p "$(dirname "$root$2")" && : >"$root$2"
  fi
}
if [ "$1" = alone ]; then mount -t proc proc /proc || fail "cannot mount /proc"; fi
directory=$2
count=$3
shift 3
while [ "$count" -gt 0 ]; do
  [ -e "$root$2" ] || make_place "$1" "$2" || fail "cannot make $2 for a mount"
  mount --bind "$1" "$root$2" || fail "cannot mount $2"
  [ "$3" = rw ] || mount -o remount,bind,ro "$root$2" || fail "cannot make $2 read-only"
  own="$own $2"
  shift 3
  count=$((count - 1))
done
PATH=$PATH_WANTED
unset PATH_WANTED
if [ -n "$root" ]; then
  exec chroot "$root" /bin/sh -c 'cd -- "$1" && shift && exec "$@"' sh "$directory" "$@"
fi
[ -z "$scratch" ] || umount -l "$scratch" 2>/dev/null
cd -- "$directory" || exit 125
exec "$@"`;
