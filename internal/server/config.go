package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
)

// Config is everything that an installation can set. Every field has an environment variable and a default that runs
// the product on one machine.
type Config struct {
	Listen    string `env:"BAAS_LISTEN" envDefault:"127.0.0.1:8080"` // dashboard, API and bots
	PublicURL string `env:"BAAS_PUBLIC_URL"`                         // how people reach Listen; made from it when empty
	Data      string `env:"BAAS_DATA" envDefault:"data"`             // folder of the database, the master key and process Workers
	Database  string `env:"BAAS_DATABASE_URL"`                       // postgres://…, or a SQLite file; <Data>/baas.db when empty
	Demo      bool   `env:"BAAS_DEMO" envDefault:"false"`            // fill an empty database with demo clients and log-ins
	// Production refuses what is only good for a look around: the process engine, demo data, a public URL without TLS.
	Production bool `env:"BAAS_PRODUCTION" envDefault:"false"`

	BotHosts       string         `env:"BAAS_BOT_HOSTS"`       // gives each bot a host of its own, such as *.bots.example.com
	TrustedProxies []netip.Prefix `env:"BAAS_TRUSTED_PROXIES"` // whose X-Forwarded-… headers are believed, such as 10.0.0.0/8

	MasterKey     string `env:"BAAS_MASTER_KEY,unset"` // keys of secrets at rest; read from MasterKeyFile when empty
	MasterKeyFile string `env:"BAAS_MASTER_KEY_FILE"`  // <Data>/master.key when empty; made when missing

	Engine           string `env:"BAAS_ENGINE" envDefault:"docker"`             // docker, kubernetes, process or fake
	DockerHost       string `env:"BAAS_DOCKER_HOST"`                            // the engine's address; DOCKER_HOST and then the default socket when empty
	DockerPool       string `env:"BAAS_DOCKER_POOL" envDefault:"10.231.0.0/16"` // where tenants' networks are cut from
	KubernetesConfig string `env:"BAAS_KUBERNETES_CONFIG"`                      // file with the settings of the Kubernetes engine; defaults when empty
	AgentListen      string `env:"BAAS_AGENT_LISTEN"`                           // where agents connect; chosen by the engine when empty
	AgentURL         string `env:"BAAS_AGENT_URL"`                              // how agents reach AgentListen; made from it when empty

	ReplicaListen string `env:"BAAS_REPLICA_LISTEN"` // where other control planes on the same database connect; this one is alone when empty
	ReplicaHost   string `env:"BAAS_REPLICA_HOST"`   // name or address at which they reach it; that of ReplicaListen when empty

	OperatorEmail    string `env:"BAAS_OPERATOR_EMAIL"`          // made an operator at start, if new
	OperatorPassword string `env:"BAAS_OPERATOR_PASSWORD,unset"` // of a new operator

	LogLevel  slog.Level `env:"BAAS_LOG_LEVEL" envDefault:"INFO"`
	LogFormat string     `env:"BAAS_LOG_FORMAT" envDefault:"text"` // text or json

	APIRate      float64       `env:"BAAS_API_RATE" envDefault:"100"`     // requests a second per token or session
	APIBurst     int           `env:"BAAS_API_BURST" envDefault:"200"`    // requests at once per token or session
	GatewayWait  time.Duration `env:"BAAS_GATEWAY_WAIT" envDefault:"20s"` // how long a request waits for its bot
	MetricsToken string        `env:"BAAS_METRICS_TOKEN,unset"`           // bearer for /metrics from other machines; from this machine none is needed
	OrphanGrace  time.Duration `env:"BAAS_ORPHAN_GRACE" envDefault:"1h"`  // how long machines without a Worker are kept
	Resync       time.Duration `env:"BAAS_RESYNC"`                        // how often each Worker is looked at without a reason; 1m, and 5m on a cluster, when 0

	Version string `env:"-"`
}

// ConfigFromEnv reads the configuration from the environment.
func ConfigFromEnv() (Config, error) {
	c, err := env.ParseAs[Config]()
	if err != nil {
		return c, fmt.Errorf("reading the environment: %w", err)
	}
	return c, nil
}

// postgres reports whether the database is a server that several processes use, not a file.
func postgres(database string) bool {
	return strings.HasPrefix(database, "postgres://") || strings.HasPrefix(database, "postgresql://")
}

// complete fills what follows from other fields and reports everything that is wrong.
func (c *Config) complete() error {
	var errs []error
	wrong := func(name, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s %s", name, fmt.Sprintf(format, args...)))
	}
	if c.Database == "" {
		c.Database = filepath.Join(c.Data, "baas.db")
	}
	if c.MasterKeyFile == "" {
		c.MasterKeyFile = filepath.Join(c.Data, "master.key")
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		wrong("BAAS_LISTEN", "is %q; must be host:port such as 127.0.0.1:8080", c.Listen)
	}
	if c.AgentListen != "" {
		if _, _, err := net.SplitHostPort(c.AgentListen); err != nil {
			wrong("BAAS_AGENT_LISTEN", "is %q; must be host:port", c.AgentListen)
		}
	}
	if c.ReplicaListen != "" {
		host, _, err := net.SplitHostPort(c.ReplicaListen)
		ip := net.ParseIP(host)
		switch {
		case err != nil:
			wrong("BAAS_REPLICA_LISTEN", "is %q; must be host:port", c.ReplicaListen)
		case c.ReplicaHost == "" && (host == "" || ip != nil && ip.IsUnspecified()):
			wrong("BAAS_REPLICA_HOST", "must be set: the name or address at which other replicas reach %s", c.ReplicaListen)
		}
		if !postgres(c.Database) {
			wrong("BAAS_REPLICA_LISTEN", "is set, and several replicas need PostgreSQL in BAAS_DATABASE_URL")
		}
		if c.Engine == "process" {
			wrong("BAAS_REPLICA_LISTEN", "is set, and the Workers of the process engine end with the control plane that runs them; several replicas need docker or kubernetes")
		}
	} else if c.ReplicaHost != "" {
		wrong("BAAS_REPLICA_HOST", "is set without BAAS_REPLICA_LISTEN, where other replicas connect")
	}
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" {
			wrong("BAAS_PUBLIC_URL", "is %q; must be an address such as https://baas.example.com, without a path", c.PublicURL)
		}
		c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	}
	switch c.Engine {
	case "docker", "kubernetes", "process", "fake":
	default:
		wrong("BAAS_ENGINE", "is %q; must be docker, kubernetes or process", c.Engine)
	}
	if _, err := netip.ParsePrefix(c.DockerPool); err != nil {
		wrong("BAAS_DOCKER_POOL", "is %q; must be a network such as 10.231.0.0/16", c.DockerPool)
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		wrong("BAAS_LOG_FORMAT", "is %q; must be text or json", c.LogFormat)
	}
	if c.Production {
		if c.Engine != "docker" && c.Engine != "kubernetes" {
			wrong("BAAS_ENGINE", "is %s, which isolates nothing; production needs docker or kubernetes", c.Engine)
		}
		if c.Demo {
			wrong("BAAS_DEMO", "makes log-ins with known passwords; production refuses it")
		}
		if !strings.HasPrefix(c.PublicURL, "https://") {
			wrong("BAAS_PUBLIC_URL", "is %q; production needs an https address", c.PublicURL)
		}
	}
	if c.OperatorEmail != "" && c.OperatorPassword == "" {
		wrong("BAAS_OPERATOR_PASSWORD", "must be set along with BAAS_OPERATOR_EMAIL")
	}
	if len(errs) > 0 {
		return fmt.Errorf("configuration: %w", errors.Join(errs...))
	}
	return nil
}
