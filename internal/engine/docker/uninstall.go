package docker

import (
	"context"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// RemoveInstallation takes what the installation has on the engine besides machines: images, the agent's volumes and
// the firewall rules. For an installation that ends; machines must have been removed before.
func (e *Engine) RemoveInstallation(ctx context.Context) error {
	const doing = "removing the installation from the engine"
	if err := e.sweepNetworks(ctx); err != nil {
		return err
	}
	if err := e.runNetguard(ctx, "remove", e.tableName()); err != nil {
		return err
	}
	if err := e.removeHelpers(ctx, e.owned(kindHelper), 0); err != nil {
		return err
	}
	volumes, err := e.api.VolumeList(ctx, client.VolumeListOptions{Filters: e.owned(kindAgent)})
	if err != nil {
		return apiError(doing, err)
	}
	for _, v := range volumes.Items {
		if _, err := e.api.VolumeRemove(ctx, v.Name, client.VolumeRemoveOptions{}); err != nil && !errdefs.IsNotFound(err) {
			return apiError(doing, err)
		}
	}
	tags, err := e.imageTags(ctx)
	if err != nil {
		return apiError(doing, err)
	}
	for _, tag := range tags {
		if _, err := e.api.ImageRemove(ctx, tag, client.ImageRemoveOptions{PruneChildren: true}); err != nil && !errdefs.IsNotFound(err) {
			return apiError(doing, err)
		}
	}
	e.forgetImages()
	return nil
}

// imageTags lists the platform's images of this installation.
func (e *Engine) imageTags(ctx context.Context) ([]string, error) {
	list, err := e.api.ImageList(ctx, client.ImageListOptions{Filters: client.Filters{}.
		Add("label", labelInstallation+"="+e.cfg.Installation).Add("reference", repo)})
	if err != nil {
		return nil, err
	}
	var tags []string
	for _, img := range list.Items {
		tags = append(tags, img.RepoTags...)
	}
	return tags, nil
}
