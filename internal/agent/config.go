package agent

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/baas-platform/baas/internal/agentapi"
)

// Config is what an agent needs to know.
type Config struct {
	URL      string // of the control plane; "" runs the bots of the volume without it
	Token    string
	WorkerID string
	Data     string // the volume
	DiskGiB  int64  // limit until the control plane tells another; 0: none
	Version  string // of the build
	// Assistant is the command of the built-in bot; this executable with "bot assistant" when empty.
	Assistant []string
	Environ   []string // what bots inherit; variables that begin with BAAS_ never reach them
	Log       *slog.Logger
}

// ConfigFromEnv reads the environment that an engine gave, and removes what is secret from it.
func ConfigFromEnv(version string, log *slog.Logger) (Config, error) {
	c := Config{
		URL: os.Getenv(agentapi.EnvURL), Token: os.Getenv(agentapi.EnvToken), WorkerID: os.Getenv(agentapi.EnvWorker),
		Data: os.Getenv(agentapi.EnvData), Version: version, Log: log,
	}
	if s := os.Getenv(agentapi.EnvDiskGiB); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 {
			return c, fmt.Errorf("%s is %q; must be a number of GiB", agentapi.EnvDiskGiB, s)
		}
		c.DiskGiB = n
	}
	for _, kv := range os.Environ() {
		if k, _, _ := strings.Cut(kv, "="); strings.HasPrefix(k, "BAAS_") {
			if err := os.Unsetenv(k); err != nil {
				return c, fmt.Errorf("removing %s from the environment: %w", k, err)
			}
		}
	}
	c.Environ = os.Environ()
	return c, c.check()
}

// check fills in defaults and says what is wrong.
func (c *Config) check() error {
	var errs []error
	if c.WorkerID == "" {
		errs = append(errs, fmt.Errorf("%s must be the Worker's id", agentapi.EnvWorker))
	}
	if c.URL != "" {
		if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Scheme != "ws" && u.Scheme != "wss" && u.Scheme != "http" && u.Scheme != "https" {
			errs = append(errs, fmt.Errorf("%s is %q; must be like ws://host:port", agentapi.EnvURL, c.URL))
		}
		if c.Token == "" {
			errs = append(errs, fmt.Errorf("%s must be the Worker's token", agentapi.EnvToken))
		}
	}
	if c.Data == "" {
		c.Data = "/data"
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if len(c.Assistant) == 0 {
		exe, err := os.Executable()
		if err != nil {
			errs = append(errs, fmt.Errorf("finding this executable: %w", err))
		}
		c.Assistant = []string{exe, "bot", "assistant"}
	}
	return errors.Join(errs...)
}
