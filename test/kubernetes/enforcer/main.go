// Command enforcer makes the test cluster's network keep to NetworkPolicies, as network plugins of real clusters do: it
// follows the policies and the pods of one node, and writes nftables rules into the network namespace that it runs in.
//
// It holds to what NetworkPolicies mean: a pod that no policy of a direction selects is free in it; one that is selected
// may do what any of them allows, and nothing else. Answers to what was allowed pass, and so does the node's own traffic
// to its pods. It knows IPv4 and ports by number. When it is told to end it takes its rules away, so that a test can see
// what there would be without.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

const table = "baas_policies"

func main() {
	kubeconfig := flag.String("kubeconfig", "", "kubeconfig file")
	node := flag.String("node", "", "the node whose pods are held to the policies")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, *kubeconfig, *node); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, kubeconfig, node string) error {
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	api, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	all := informers.NewSharedInformerFactory(api, 0)
	local := informers.NewSharedInformerFactoryWithOptions(api, 0, informers.WithTweakListOptions(func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector("spec.nodeName", node).String()
	}))
	changed := make(chan struct{}, 1)
	wake := func() {
		select {
		case changed <- struct{}{}:
		default: // it is going to look anyway
		}
	}
	pods, spaces, policies := local.Core().V1().Pods(), all.Core().V1().Namespaces(), all.Networking().V1().NetworkPolicies()
	for _, i := range []cache.SharedIndexInformer{pods.Informer(), spaces.Informer(), policies.Informer()} {
		if _, err := i.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc: func(any) { wake() }, UpdateFunc: func(any, any) { wake() }, DeleteFunc: func(any) { wake() },
		}); err != nil {
			return err
		}
	}
	all.Start(ctx.Done())
	local.Start(ctx.Done())
	all.WaitForCacheSync(ctx.Done())
	local.WaitForCacheSync(ctx.Done())
	defer func() { // ctx is over
		if err := nft(context.WithoutCancel(ctx), fmt.Sprintf("table inet %s\ndelete table inet %[1]s\n", table)); err != nil {
			log.Print(err)
		}
	}()
	before := ""
	for {
		s := state{namespaces: map[string]labels.Set{}}
		if s.pods, err = pods.Lister().List(labels.Everything()); err != nil {
			return err
		}
		if s.policies, err = policies.Lister().List(labels.Everything()); err != nil {
			return err
		}
		found, err := spaces.Lister().List(labels.Everything())
		if err != nil {
			return err
		}
		for _, ns := range found {
			s.namespaces[ns.Name] = ns.Labels
		}
		rules, err := s.rules()
		if err != nil {
			return err
		}
		if rules != before {
			if err := nft(ctx, rules); err != nil && ctx.Err() == nil {
				return err
			}
			before = rules
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(20 * time.Millisecond): // what comes together is done together
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}

// nft carries out a script, as a whole or not at all.
func nft(ctx context.Context, script string) error {
	cmd := exec.CommandContext(ctx, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %w: %s\n%s", err, out, script)
	}
	return nil
}

// state is what the cluster has.
type state struct {
	pods       []*corev1.Pod
	namespaces map[string]labels.Set
	policies   []*networkingv1.NetworkPolicy
}

// rules gives the whole table anew.
func (s state) rules() (string, error) {
	var chains, forward, input bytes.Buffer
	slices.SortFunc(s.pods, func(a, b *corev1.Pod) int { return strings.Compare(a.Status.PodIP, b.Status.PodIP) })
	slices.SortFunc(s.policies, func(a, b *networkingv1.NetworkPolicy) int { return strings.Compare(string(a.UID), string(b.UID)) })
	for _, p := range s.pods {
		if !onNetwork(p) {
			continue
		}
		var egress, ingress []string
		out, in := false, false
		for _, np := range s.policies {
			chosen, err := selects(&np.Spec.PodSelector, p.Labels)
			if err != nil {
				return "", err
			}
			if np.Namespace != p.Namespace || !chosen {
				continue
			}
			if slices.Contains(np.Spec.PolicyTypes, networkingv1.PolicyTypeEgress) {
				out = true
				for _, r := range np.Spec.Egress {
					lines, err := s.allow(np, "daddr", r.To, r.Ports)
					if err != nil {
						return "", err
					}
					egress = append(egress, lines...)
				}
			}
			if slices.Contains(np.Spec.PolicyTypes, networkingv1.PolicyTypeIngress) {
				in = true
				for _, r := range np.Spec.Ingress {
					lines, err := s.allow(np, "saddr", r.From, r.Ports)
					if err != nil {
						return "", err
					}
					ingress = append(ingress, lines...)
				}
			}
		}
		name := strings.ReplaceAll(p.Status.PodIP, ".", "_")
		if out {
			fmt.Fprintf(&chains, "  chain out_%s {\n%s    drop\n  }\n", name, strings.Join(egress, ""))
			fmt.Fprintf(&forward, "    ip saddr %s jump out_%s\n", p.Status.PodIP, name)
			fmt.Fprintf(&input, "    ip saddr %s jump out_%s\n", p.Status.PodIP, name)
		}
		if in {
			fmt.Fprintf(&chains, "  chain in_%s {\n%s    drop\n  }\n", name, strings.Join(ingress, ""))
			fmt.Fprintf(&forward, "    ip daddr %s jump in_%s\n", p.Status.PodIP, name)
		}
	}
	const hook = "  chain %s {\n    type filter hook %[1]s priority 0\n    ct state established,related accept\n%s  }\n"
	return fmt.Sprintf("table inet %s\ndelete table inet %[1]s\ntable inet %[1]s {\n%s", table, chains.String()) +
		fmt.Sprintf(hook, "forward", forward.String()) + fmt.Sprintf(hook, "input", input.String()) + "}\n", nil
}

func onNetwork(p *corev1.Pod) bool {
	return p.Status.PodIP != "" && !p.Spec.HostNetwork && p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed
}

func selects(s *metav1.LabelSelector, have labels.Set) (bool, error) {
	sel, err := metav1.LabelSelectorAsSelector(s)
	return err == nil && sel.Matches(have), err
}

// allow gives a line for each pair of a peer and a port. None of either means all.
func (s state) allow(np *networkingv1.NetworkPolicy, side string, peers []networkingv1.NetworkPolicyPeer, ports []networkingv1.NetworkPolicyPort) (lines []string, err error) {
	addresses := []string{""}
	if len(peers) > 0 {
		addresses = nil
	}
	for _, peer := range peers {
		more, err := s.addresses(np, side, peer)
		if err != nil {
			return nil, err
		}
		addresses = append(addresses, more...)
	}
	matches := []string{""}
	if len(ports) > 0 {
		matches = nil
	}
	for _, p := range ports {
		protocol := "tcp"
		if p.Protocol != nil {
			protocol = strings.ToLower(string(*p.Protocol))
		}
		switch {
		case p.Port == nil:
			matches = append(matches, "meta l4proto "+protocol+" ")
		case p.Port.IntValue() == 0:
			return nil, fmt.Errorf("policy %s/%s: the port %s has a name, which this program doesn't know", np.Namespace, np.Name, p.Port.String())
		case p.EndPort != nil:
			matches = append(matches, fmt.Sprintf("%s dport %d-%d ", protocol, p.Port.IntValue(), *p.EndPort))
		default:
			matches = append(matches, fmt.Sprintf("%s dport %d ", protocol, p.Port.IntValue()))
		}
	}
	for _, a := range addresses {
		for _, m := range matches {
			lines = append(lines, "    "+a+m+"return\n")
		}
	}
	return lines, nil
}

// addresses gives matches for what a peer stands for.
func (s state) addresses(np *networkingv1.NetworkPolicy, side string, peer networkingv1.NetworkPolicyPeer) (matches []string, err error) {
	if b := peer.IPBlock; b != nil {
		if strings.Contains(b.CIDR, ":") {
			return nil, nil // pods have no IPv6 here
		}
		match := fmt.Sprintf("ip %s %s ", side, b.CIDR)
		if len(b.Except) > 0 {
			match += fmt.Sprintf("ip %s != { %s } ", side, strings.Join(b.Except, ", "))
		}
		return []string{match}, nil
	}
	for _, p := range s.pods {
		near, chosen := p.Namespace == np.Namespace, true
		if peer.NamespaceSelector != nil {
			if near, err = selects(peer.NamespaceSelector, s.namespaces[p.Namespace]); err != nil {
				return nil, err
			}
		}
		if peer.PodSelector != nil {
			if chosen, err = selects(peer.PodSelector, p.Labels); err != nil {
				return nil, err
			}
		}
		if onNetwork(p) && near && chosen {
			matches = append(matches, fmt.Sprintf("ip %s %s ", side, p.Status.PodIP))
		}
	}
	return matches, nil
}
