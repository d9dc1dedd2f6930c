package netguard

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// rule is matches followed by a verdict.
type rule []expr.Any

type chain struct {
	name  string
	hook  *nftables.ChainHook
	rules []rule
}

func (c Config) chains() []chain {
	fromWorker, toWorker := iface(expr.MetaKeyIIFNAME, c.InterfacePrefix), iface(expr.MetaKeyOIFNAME, c.InterfacePrefix)

	agent := slices.Concat(fromWorker, port(unix.IPPROTO_TCP, c.Agent.Port()))
	if a := c.Agent.Addr(); a.IsValid() && !a.IsUnspecified() {
		agent = slices.Concat(fromWorker, to(netip.PrefixFrom(a, a.BitLen())), port(unix.IPPROTO_TCP, c.Agent.Port()))
	}
	input := []rule{
		slices.Concat(fromWorker, replies(), accept),
		slices.Concat(agent, accept),
		slices.Concat(fromWorker, drop),
	}

	forward := []rule{slices.Concat(fromWorker, toWorker, drop)}
	closed := slices.Clone(c.Deny)
	if c.Pool.IsValid() {
		closed = append(closed, c.Pool)
	}
	for _, p := range closed {
		forward = append(forward, slices.Concat(fromWorker, to(p), drop))
	}
	for _, p := range Metadata {
		// Some clouds answer names at the same address as their machines' credentials.
		forward = append(forward,
			slices.Concat(fromWorker, to(p), port(unix.IPPROTO_UDP, dns), accept),
			slices.Concat(fromWorker, to(p), port(unix.IPPROTO_TCP, dns), accept),
			slices.Concat(fromWorker, to(p), drop),
		)
	}
	forward = append(forward,
		slices.Concat(toWorker, replies(), accept),
		slices.Concat(toWorker, drop),
	)
	return []chain{
		{name: "input", hook: nftables.ChainHookInput, rules: input},
		{name: "forward", hook: nftables.ChainHookForward, rules: forward},
	}
}

// Verdicts. The counter shows an operator what was dropped.
var (
	accept = rule{&expr.Verdict{Kind: expr.VerdictAccept}}
	drop   = rule{&expr.Counter{}, &expr.Verdict{Kind: expr.VerdictDrop}}
)

// iface matches interface names that begin with prefix: a comparison looks only at the bytes it is given.
func iface(key expr.MetaKey, prefix string) rule {
	return rule{
		&expr.Meta{Key: key, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte(prefix)},
	}
}

// replies matches packets of connections that the other side let happen.
func replies() rule {
	mask := binaryutil.NativeEndian.PutUint32(expr.CtStateBitESTABLISHED | expr.CtStateBitRELATED)
	return rule{
		&expr.Ct{Key: expr.CtKeySTATE, Register: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: mask, Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: make([]byte, 4)},
	}
}

const dns = 53

// port matches packets of the protocol to a port.
func port(protocol byte, number uint16) rule {
	return rule{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{protocol}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binary.BigEndian.AppendUint16(nil, number)},
	}
}

// to matches destinations within p. Offsets are those of the destination in an IPv4 and an IPv6 header.
func to(p netip.Prefix) rule {
	p = p.Masked()
	family, offset := byte(unix.NFPROTO_IPV4), uint32(16)
	if p.Addr().Is6() {
		family, offset = unix.NFPROTO_IPV6, 24
	}
	length := uint32(p.Addr().BitLen() / 8)
	mask := make([]byte, length)
	for i := range p.Bits() {
		mask[i/8] |= 0x80 >> (i % 8)
	}
	return rule{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{family}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: length},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: length, Mask: mask, Xor: make([]byte, length)},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: p.Addr().AsSlice()},
	}
}
