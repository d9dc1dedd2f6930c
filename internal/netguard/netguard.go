package netguard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"regexp"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// Config says what to protect. It crosses a command line as JSON.
type Config struct {
	Table           string         `json:"table"`            // name of the nftables table; an existing one is replaced
	InterfacePrefix string         `json:"interface_prefix"` // what the names of the Workers' bridges begin with
	Pool            netip.Prefix   `json:"pool"`             // the Workers' addresses; zero: known by their bridges alone
	Agent           netip.AddrPort `json:"agent"`            // where agents connect; an unspecified address means any
	Deny            []netip.Prefix `json:"deny,omitempty"`   // networks closed to Workers besides Metadata
}

// Metadata is where clouds answer their machines with credentials, and which no Worker reaches.
var Metadata = []netip.Prefix{
	netip.MustParsePrefix("169.254.0.0/16"),     // link-local: AWS, Azure, Google, Oracle and most others
	netip.MustParsePrefix("100.100.100.200/32"), // Alibaba
	netip.MustParsePrefix("168.63.129.16/32"),   // Azure's host agent
	netip.MustParsePrefix("192.0.0.192/32"),     // Oracle, older
	netip.MustParsePrefix("fd00:ec2::254/128"),  // AWS
	netip.MustParsePrefix("fe80::/10"),          // link-local
}

var (
	tablePattern  = regexp.MustCompile(`^[a-z][a-z0-9_]{0,60}$`)
	prefixPattern = regexp.MustCompile(`^[a-z][a-z0-9]{3,13}$`)
)

// Validate says what is wrong with the configuration.
func (c Config) Validate() error {
	switch {
	case !tablePattern.MatchString(c.Table):
		return fmt.Errorf("table %q: must be lower-case letters, digits and underscores", c.Table)
	case !prefixPattern.MatchString(c.InterfacePrefix):
		// A short prefix would match the host's own interfaces and shut everybody out.
		return fmt.Errorf("interface prefix %q: must be 4 to 14 lower-case letters and digits", c.InterfacePrefix)
	case c.Agent.Port() == 0:
		return errors.New("agent: must be an address and a port, such as 172.17.0.1:7080")
	case c.Pool.IsValid() && !c.Pool.Addr().Is4():
		return fmt.Errorf("pool %s: must be an IPv4 network", c.Pool)
	}
	return nil
}

// Apply sets the rules in the network namespace of this process, in one transaction: at no moment are they missing.
// Idempotent. It needs the capability NET_ADMIN.
func Apply(ctx context.Context, c Config) error {
	if err := c.Validate(); err != nil {
		return fmt.Errorf("host firewall rules: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	conn, err := nftables.New()
	if err != nil {
		return fmt.Errorf("opening nftables: %w", err)
	}
	t := &nftables.Table{Family: nftables.TableFamilyINet, Name: c.Table}
	conn.AddTable(t) // so that there is one to delete
	conn.DelTable(t)
	conn.AddTable(t)
	for _, ch := range c.chains() {
		chain := conn.AddChain(&nftables.Chain{
			Name: ch.name, Table: t, Type: nftables.ChainTypeFilter, Hooknum: ch.hook,
			// Before the filters of the container engine and of the host.
			Priority: nftables.ChainPriorityRef(*nftables.ChainPriorityFilter - 10),
		})
		for _, r := range ch.rules {
			conn.AddRule(&nftables.Rule{Table: t, Chain: chain, Exprs: r})
		}
	}
	if err := conn.Flush(); err != nil {
		return fmt.Errorf("setting nftables table %s: %w%s", c.Table, err, hint(err))
	}
	return nil
}

// Remove takes the table away. No error when there is none.
func Remove(ctx context.Context, table string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	conn, err := nftables.New()
	if err != nil {
		return fmt.Errorf("opening nftables: %w", err)
	}
	conn.DelTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: table})
	if err := conn.Flush(); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing nftables table %s: %w%s", table, err, hint(err))
	}
	return nil
}

func hint(err error) string {
	switch {
	case errors.Is(err, unix.EPERM):
		return " (it needs the capability NET_ADMIN)"
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EAFNOSUPPORT):
		return " (the kernel lacks nf_tables with inet and ct support)"
	}
	return ""
}

// Run is the netguard command, which an engine starts in a container on the host's network: `apply` with a Config as
// JSON, or `remove` with the name of a table.
func Run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 2 && args[0] == "apply":
		var c Config
		if err := json.Unmarshal([]byte(args[1]), &c); err != nil {
			return fmt.Errorf("netguard: reading the configuration: %w", err)
		}
		return Apply(ctx, c)
	case len(args) == 2 && args[0] == "remove":
		return Remove(ctx, args[1])
	}
	return errors.New("netguard: needs apply with a configuration as JSON, or remove with a table; the control plane calls it by itself")
}
