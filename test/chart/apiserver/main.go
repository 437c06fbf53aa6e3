// Command apiserver runs a Kubernetes API server with its store in one process,
// so that the chart can be installed into the real thing where there is neither
// a cluster nor a container engine. It admits, defaults, validates and stores as
// in any cluster; nothing runs the pods. It is a module of its own because of
// what it brings along.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	dir := flag.String("dir", "", "empty `directory` for data, certificates and kubeconfig")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "apiserver:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends. The file kubeconfig is there from the start; the
// server is up once its /readyz says so.
func run(ctx context.Context, dir string) error {
	if dir == "" {
		return fmt.Errorf("--dir is missing; name an empty directory")
	}
	store, err := startStore(filepath.Join(dir, "etcd"))
	if err != nil {
		return err
	}
	defer store.Close()
	access, err := grantAccess(dir)
	if err != nil {
		return err
	}
	command := app.NewAPIServerCommand()
	command.SetArgs(append(access.arguments(),
		"--etcd-servers=http://"+store.Clients[0].Addr().String(),
		"--authorization-mode=RBAC",
		"--service-cluster-ip-range=10.0.0.0/24",
		// No controller makes service accounts and their tokens here.
		"--disable-admission-plugins=ServiceAccount",
	))
	if err := command.ExecuteContext(ctx); err != nil {
		return fmt.Errorf("serve the Kubernetes API: %w", err)
	}
	return nil
}
