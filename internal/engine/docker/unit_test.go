package docker

import (
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestFreeSubnet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pool := netip.MustParsePrefix("10.231.0.0/20")
		bits := rapid.IntRange(20, 29).Draw(t, "bits")
		var used []netip.Prefix
		for range rapid.IntRange(0, 20).Draw(t, "used") {
			a := netip.AddrFrom4([4]byte{10, 231, byte(rapid.IntRange(0, 20).Draw(t, "third")), byte(rapid.IntRange(0, 255).Draw(t, "fourth"))})
			used = append(used, netip.PrefixFrom(a, rapid.IntRange(16, 32).Draw(t, "length")))
		}
		used = append(used, netip.Prefix{}, netip.MustParsePrefix("fd00::/64"))
		got, ok := freeSubnet(pool, bits, used)
		overlaps := func(p netip.Prefix) bool {
			for _, u := range used {
				if u.IsValid() && u.Overlaps(p) {
					return true
				}
			}
			return false
		}
		if ok {
			if !pool.Contains(got.Addr()) || got.Bits() != bits || got != got.Masked() || overlaps(got) {
				t.Fatalf("%s is no free subnet; used: %v", got, used)
			}
			return
		}
		for a := pool.Addr(); pool.Contains(a); a = after(netip.PrefixFrom(a, bits)) {
			if p := netip.PrefixFrom(a, bits); !overlaps(p) {
				t.Fatalf("%s is free and was not found; used: %v", p, used)
			}
		}
	})
}

func TestThePoolHoldsHundredsOfTenants(t *testing.T) {
	cfg, err := Config{AgentListenPort: 1}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	var used []netip.Prefix
	for {
		p, ok := freeSubnet(cfg.Pool, cfg.SubnetBits, used)
		if !ok {
			break
		}
		used = append(used, p)
	}
	if len(used) != 512 {
		t.Errorf("%d subnets", len(used))
	}
}

func TestRuncWarning(t *testing.T) {
	for version, want := range map[string]string{
		"1.1.5+ds1":             "CVE-2024-21626",
		"1.1.11":                "CVE-2024-21626",
		"1.1.12":                "CVE-2025-31133",
		"1.2.7":                 "CVE-2025-52881",
		"1.2.8":                 "",
		"1.3.0":                 "CVE-2025-52565",
		"1.3.2":                 "CVE-2025-52565",
		"1.3.3":                 "",
		"1.4.0-rc.2":            "CVE-2025-31133",
		"1.4.0-rc.3":            "",
		"1.4.0":                 "",
		"2.0.0":                 "",
		"v1.1.12-0-g51d5e94":    "CVE-2025-31133",
		"":                      "",
		"a build of somebody's": "",
	} {
		got := runcWarning(version)
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("runc %q: %q, want %q in it", version, got, want)
		}
		if version == "1.1.12" && strings.Contains(got, "CVE-2024-21626") {
			t.Errorf("runc 1.1.12 is repaired and warned of: %q", got)
		}
	}
}

func TestAgentAddress(t *testing.T) {
	for url, want := range map[string]string{
		"ws://172.17.0.1:7080":      "172.17.0.1:7080",
		"ws://172.17.0.1":           "172.17.0.1:80",
		"wss://agents.example.com":  "0.0.0.0:443",
		"https://10.0.0.1:1/prefix": "10.0.0.1:1",
	} {
		got, err := agentAddress(url)
		if err != nil || got.String() != want {
			t.Errorf("%s: %s, %v; want %s", url, got, err, want)
		}
	}
	for _, url := range []string{"", "ws://", "172.17.0.1:80", "ws://host:99999"} {
		if got, err := agentAddress(url); err == nil {
			t.Errorf("%q was taken for %s", url, got)
		}
	}
}

func TestNames(t *testing.T) {
	e := &Engine{cfg: Config{Installation: "baas"}}
	name := e.bridgeName("ten_01jc5q0v8m3h2k6z9w4r7t1y5x")
	if len(name) > 15 || !strings.HasPrefix(name, e.bridgePrefix()) {
		t.Errorf("bridge %q", name)
	}
	other := &Engine{cfg: Config{Installation: "baas-2"}}
	if other.bridgePrefix() == e.bridgePrefix() {
		t.Error("two installations share a prefix of bridges")
	}
	if err := (mustGuard(t, &Engine{cfg: Config{Installation: "a-b", Pool: netip.MustParsePrefix("10.231.0.0/16")}, agentURL: "ws://1.2.3.4:5"})); err != nil {
		t.Error(err)
	}
}

func mustGuard(t *testing.T, e *Engine) error {
	t.Helper()
	c, err := e.guardConfig()
	if err != nil {
		return err
	}
	return c.Validate()
}

func TestConfig(t *testing.T) {
	for name, c := range map[string]Config{
		"installation": {Installation: "Bad Name", AgentListenPort: 1},
		"pool":         {Pool: netip.MustParsePrefix("fd00::/64"), AgentListenPort: 1},
		"subnet bits":  {SubnetBits: 30, AgentListenPort: 1},
		"port":         {},
	} {
		if _, err := c.withDefaults(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("a wrong %s gives %v", name, err)
		}
	}
}
