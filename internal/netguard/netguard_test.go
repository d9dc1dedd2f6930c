package netguard

import (
	"net/netip"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func config() Config {
	return Config{
		Table: "baas_test", InterfacePrefix: "bwtest", Pool: netip.MustParsePrefix("10.231.0.0/16"),
		Agent: netip.MustParseAddrPort("172.17.0.1:7080"), Deny: []netip.Prefix{netip.MustParsePrefix("192.168.7.0/24")},
	}
}

// inNamespace gives the test a network of its own, so that it changes nothing of this machine. The thread ends with the
// test, since the namespace is the thread's.
func inNamespace(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatalf("making a network namespace, which needs root: %v", err)
	}
}

func ruleset(t *testing.T) string {
	t.Helper()
	// Started from this locked thread, so it looks at the same namespace.
	out, err := exec.Command("nft", "list", "ruleset").CombinedOutput()
	if err != nil {
		t.Fatalf("nft, from the package nftables: %v\n%s", err, out)
	}
	return string(out)
}

func TestApply(t *testing.T) {
	inNamespace(t)
	if err := Apply(t.Context(), config()); err != nil {
		t.Fatal(err)
	}
	first := ruleset(t)
	for _, want := range []string{
		`table inet baas_test`,
		`hook input priority filter - 10; policy accept`,
		`hook forward priority filter - 10; policy accept`,
		`iifname "bwtest*" ct state established,related accept`,
		`iifname "bwtest*" ip daddr 172.17.0.1 tcp dport 7080 accept`,
		`iifname "bwtest*" counter packets 0 bytes 0 drop`,
		`iifname "bwtest*" ip daddr 169.254.0.0/16 counter packets 0 bytes 0 drop`,
		`iifname "bwtest*" ip daddr 169.254.0.0/16 udp dport 53 accept`,
		`iifname "bwtest*" ip daddr 100.100.100.200 counter packets 0 bytes 0 drop`,
		`iifname "bwtest*" ip6 daddr fd00:ec2::254 counter packets 0 bytes 0 drop`,
		`iifname "bwtest*" ip daddr 192.168.7.0/24 counter packets 0 bytes 0 drop`,
		`iifname "bwtest*" ip daddr 10.231.0.0/16 counter packets 0 bytes 0 drop`,
		`iifname "bwtest*" oifname "bwtest*" counter packets 0 bytes 0 drop`,
		`oifname "bwtest*" ct state established,related accept`,
	} {
		if !strings.Contains(first, want) {
			t.Errorf("the rules lack %q", want)
		}
	}
	if err := Apply(t.Context(), config()); err != nil {
		t.Fatalf("again: %v", err)
	}
	if again := ruleset(t); again != first {
		t.Errorf("applied again, the rules are\n%s\nand were\n%s", again, first)
	}
	if t.Failed() {
		t.Log(first)
	}
	other := config()
	other.Table, other.InterfacePrefix, other.Agent = "baas_other", "bwother", netip.MustParseAddrPort("0.0.0.0:443")
	if err := Apply(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	if all := ruleset(t); !strings.Contains(all, "table inet baas_test") || !strings.Contains(all, `iifname "bwother*" tcp dport 443 accept`) {
		t.Errorf("two installations: %s", all)
	}
	for range 2 {
		if err := Remove(t.Context(), "baas_test"); err != nil {
			t.Fatal(err)
		}
	}
	if left := ruleset(t); strings.Contains(left, "baas_test") || !strings.Contains(left, "baas_other") {
		t.Errorf("after Remove: %s", left)
	}
}

func TestValidate(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"table":            func(c *Config) { c.Table = "filter; flush" },
		"interface prefix": func(c *Config) { c.InterfacePrefix = "e" },
		"agent":            func(c *Config) { c.Agent = netip.AddrPort{} },
		"pool":             func(c *Config) { c.Pool = netip.MustParsePrefix("fd00::/64") },
	} {
		c := config()
		change(&c)
		if err := Apply(t.Context(), c); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("a wrong %s gives %v", name, err)
		}
	}
}

func TestRun(t *testing.T) {
	inNamespace(t)
	for _, args := range [][]string{nil, {"apply"}, {"apply", "{"}, {"apply", "{}"}, {"flush", "x"}} {
		if err := Run(t.Context(), args); err == nil {
			t.Errorf("arguments %q were accepted", args)
		}
	}
	err := Run(t.Context(), []string{"apply", `{"table":"baas_cli","interface_prefix":"bwcli","pool":"10.9.0.0/16","agent":"10.0.0.1:70"}`})
	if err != nil {
		t.Fatal(err)
	}
	if out := ruleset(t); !strings.Contains(out, `iifname "bwcli*" ip daddr 10.0.0.1 tcp dport 70 accept`) {
		t.Errorf("rules of the command: %s", out)
	}
}
