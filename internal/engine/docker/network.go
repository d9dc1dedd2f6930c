package docker

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// maxSubnetTries bounds the search past subnets that the engine refuses although no network of its list has them.
const maxSubnetTries = 32

// holdNetwork makes sure that the tenant has its network, and keeps it from being removed until release is called,
// since a network without a container counts as unused.
func (e *Engine) holdNetwork(ctx context.Context, tenant string) (release func(), err error) {
	e.tenants.mu.Lock()
	defer e.tenants.mu.Unlock()
	if err := e.ensureNetwork(ctx, tenant); err != nil {
		return nil, err
	}
	if e.tenants.making == nil {
		e.tenants.making = map[string]int{}
	}
	e.tenants.making[tenant]++
	return func() {
		e.tenants.mu.Lock()
		defer e.tenants.mu.Unlock()
		if e.tenants.making[tenant]--; e.tenants.making[tenant] == 0 {
			delete(e.tenants.making, tenant)
		}
	}, nil
}

// ensureNetwork needs e.tenants.mu: two networks made at once would choose the same subnet.
func (e *Engine) ensureNetwork(ctx context.Context, tenant string) error {
	name := e.networkName(tenant)
	doing := "making network " + name
	res, err := e.api.NetworkInspect(ctx, name, client.NetworkInspectOptions{})
	switch {
	case err == nil && e.ours(res.Network.Labels):
		return nil
	case err == nil:
		return fmt.Errorf("%s: a network of this name exists and doesn't belong to installation %s; rename or remove it", doing, e.cfg.Installation)
	case !errdefs.IsNotFound(err):
		return apiError(doing, err)
	}
	list, err := e.api.NetworkList(ctx, client.NetworkListOptions{})
	if err != nil {
		return apiError(doing, err)
	}
	var used []netip.Prefix
	for _, n := range list.Items {
		for _, c := range n.IPAM.Config {
			used = append(used, c.Subnet)
		}
	}
	for range maxSubnetTries {
		subnet, ok := freeSubnet(e.cfg.Pool, e.cfg.SubnetBits, used)
		if !ok {
			return fmt.Errorf("%s: no subnet /%d is free in the pool %s; give the installation a larger one", doing, e.cfg.SubnetBits, e.cfg.Pool)
		}
		off := false
		_, err = e.api.NetworkCreate(ctx, name, client.NetworkCreateOptions{
			Driver:     "bridge",
			EnableIPv6: &off,
			IPAM:       &network.IPAM{Driver: "default", Config: []network.IPAMConfig{{Subnet: subnet, Gateway: subnet.Addr().Next()}}},
			Options: map[string]string{
				"com.docker.network.bridge.name":       e.bridgeName(tenant),
				"com.docker.network.bridge.enable_icc": "false",
			},
			Labels: e.labels(kindTenant, labelTenant, tenant),
		})
		if err == nil {
			e.log.InfoContext(ctx, "network made", "network", name, "subnet", subnet, "tenant", tenant)
			return nil
		}
		// The engine answers "forbidden" for a subnet that overlaps with something the list doesn't show.
		if !errdefs.IsPermissionDenied(err) {
			return apiError(doing, err)
		}
		used = append(used, subnet)
	}
	return apiError(doing, err)
}

// freeSubnet gives the first subnet of the pool that overlaps with none of those in use.
func freeSubnet(pool netip.Prefix, bits int, used []netip.Prefix) (netip.Prefix, bool) {
next:
	for addr := pool.Masked().Addr(); pool.Contains(addr); {
		subnet := netip.PrefixFrom(addr, bits)
		for _, u := range used {
			if u.IsValid() && u.Overlaps(subnet) {
				if addr = after(widest(u.Masked(), subnet)); !addr.IsValid() {
					return netip.Prefix{}, false
				}
				continue next
			}
		}
		return subnet, true
	}
	return netip.Prefix{}, false
}

// widest gives the one of two overlapping prefixes that contains the other.
func widest(a, b netip.Prefix) netip.Prefix {
	if a.Bits() < b.Bits() {
		return a
	}
	return b
}

// after gives the first IPv4 address behind p, or the zero Addr at the end of all addresses.
func after(p netip.Prefix) netip.Addr {
	a := p.Addr().As4()
	n := uint64(a[0])<<24 | uint64(a[1])<<16 | uint64(a[2])<<8 | uint64(a[3])
	n += 1 << (32 - p.Bits())
	if n > 0xffffffff {
		return netip.Addr{}
	}
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

// sweepNetworks removes the networks of tenants that have neither containers nor volumes left. It goes by what exists
// instead of by one tenant, so that a crash between the last volume and its network leaves nothing for good.
func (e *Engine) sweepNetworks(ctx context.Context) error {
	const doing = "removing networks that nobody uses"
	e.tenants.mu.Lock()
	defer e.tenants.mu.Unlock()
	networks, err := e.api.NetworkList(ctx, client.NetworkListOptions{Filters: e.owned(kindTenant)})
	if err != nil || len(networks.Items) == 0 {
		return apiError(doing, err)
	}
	containers, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: e.owned(kindWorker)})
	if err != nil {
		return apiError(doing, err)
	}
	volumes, err := e.api.VolumeList(ctx, client.VolumeListOptions{Filters: e.owned(kindWorker)})
	if err != nil {
		return apiError(doing, err)
	}
	used := map[string]bool{}
	for _, c := range containers.Items {
		used[c.Labels[labelTenant]] = true
	}
	for _, v := range volumes.Items {
		used[v.Labels[labelTenant]] = true
	}
	for _, n := range networks.Items {
		tenant := n.Labels[labelTenant]
		if used[tenant] || e.tenants.making[tenant] > 0 {
			continue
		}
		if _, err := e.api.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{}); err != nil && !errdefs.IsNotFound(err) {
			return apiError("removing network "+n.Name, err)
		}
		e.log.InfoContext(ctx, "network removed", "network", n.Name, "tenant", tenant)
	}
	return nil
}
