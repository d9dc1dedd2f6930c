package sealing

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const fileComment = "# Master keys of BaaS: the first seals secrets, all of them open. Without this file no secret can be read again.\n"

// Config says where the master keys are.
type Config struct {
	// Value holds the keys themselves, as the environment gives them. It wins over File.
	Value string
	// File is made with a new key when it is missing.
	File string
}

// Load reads the ring of master keys. A missing file is made, readable by its owner alone; of several processes that
// do so at once one makes it and all use it.
func Load(_ context.Context, cfg Config) (*Keys, error) {
	if cfg.Value != "" {
		k, err := Parse(cfg.Value)
		if err != nil {
			return nil, fmt.Errorf("reading the master keys from the environment: %w", err)
		}
		return k, nil
	}
	if cfg.File == "" {
		return nil, errors.New("neither master keys nor a file for them are given")
	}
	text, err := readFile(cfg.File)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeFile(cfg.File); err != nil {
			return nil, fmt.Errorf("making the file of master keys: %w", err)
		}
		text, err = readFile(cfg.File)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the file of master keys: %w", err)
	}
	k, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("reading the master keys from %s: %w", cfg.File, err)
	}
	return k, nil
}

// AddKey puts a new master key first into the file, and so begins a rotation. Running processes use it once they are
// started again.
func AddKey(file string) error {
	text, err := readFile(file)
	if err != nil {
		return fmt.Errorf("reading the file of master keys: %w", err)
	}
	if _, err := Parse(text); err != nil {
		return fmt.Errorf("reading the master keys from %s: %w", file, err)
	}
	temp, err := writeTemp(file, generate()+"\n"+text)
	if err != nil {
		return fmt.Errorf("writing the file of master keys: %w", err)
	}
	defer os.Remove(temp)
	if err := os.Rename(temp, file); err != nil {
		return fmt.Errorf("replacing the file of master keys: %w", err)
	}
	return syncDir(file)
}

func readFile(file string) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o007 != 0 {
		return "", fmt.Errorf("%s is open to every user of this machine (%s); run: chmod 600 %[1]s", file, info.Mode().Perm())
	}
	text, err := os.ReadFile(file)
	return string(text), err
}

// makeFile makes the file with its content at once or not at all, and leaves one that is there by now.
func makeFile(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	temp, err := writeTemp(file, fileComment+generate()+"\n")
	if err != nil {
		return err
	}
	defer os.Remove(temp)
	if err := os.Link(temp, file); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(file)
}

// writeTemp writes a file next to the given one, to the disk.
func writeTemp(file, text string) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*") // mode 0600
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		os.Remove(f.Name())
	}
	return f.Name(), err
}

// syncDir makes the name of the file as durable as its content.
func syncDir(file string) error {
	d, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
