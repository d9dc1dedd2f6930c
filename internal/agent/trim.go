package agent

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// trim unmaps the pages of the binary's read-only parts; those that are used come back from the file when they are
// touched. The binary holds the whole product and its start touches much of that, which an idle agent has no use for. A mapping with pages of its own, such as relocated data, is left alone.
func trim() error {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return err
	}
	defer f.Close()
	var start, end uintptr
	in := bufio.NewScanner(f)
	for in.Scan() {
		line := in.Text()
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if !strings.HasSuffix(fields[0], ":") { // "start-end perms offset device inode path"
			start, end = 0, 0
			if len(fields) >= 6 && fields[5] == exe && (fields[1] == "r-xp" || fields[1] == "r--p") {
				if _, err := fmt.Sscanf(fields[0], "%x-%x", &start, &end); err != nil {
					return fmt.Errorf("reading the memory map: %w", err)
				}
			}
			continue
		}
		if fields[0] == "Anonymous:" && len(fields) > 1 && fields[1] == "0" && end > start {
			if err := release(start, end); err != nil {
				return fmt.Errorf("releasing memory: %w", err)
			}
		}
	}
	return in.Err()
}

// release tells the kernel that a range of the binary isn't needed now.
func release(start, end uintptr) error {
	_, _, errno := unix.Syscall(unix.SYS_MADVISE, start, end-start, unix.MADV_DONTNEED)
	if errno != 0 {
		return errno
	}
	return nil
}
