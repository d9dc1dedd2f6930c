// Package inject puts the running program where another container finds it. On a cluster an init container with the
// platform's image does so, into a volume that it shares with a Worker of any other image.
package inject

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Run copies the running program to the path that is its only argument, executable by everybody. The file appears
// there as a whole or not at all; one that is there is replaced.
func Run(args []string) error {
	if len(args) != 1 || !filepath.IsAbs(args[0]) {
		return errors.New("inject: give one argument, the absolute path to copy this program to")
	}
	if err := copySelf(args[0]); err != nil {
		return fmt.Errorf("copying this program to %s: %w", args[0], err)
	}
	return nil
}

func copySelf(path string) (err error) {
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer self.Close()
	tmp, err := os.CreateTemp(filepath.Dir(path), ".inject-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	if _, err = io.Copy(tmp, self); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err = tmp.Chmod(0o555); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
