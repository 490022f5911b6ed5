# A fleet of look-alike NixOS hosts without nixpkgs and without the internet, as a template: the hosts
# are described in hosts.json (its format is in ../README.md, "Hosts"), the ciphertexts lie where it says.
#
# It offers what tools ask of a real fleet under nixosConfigurations.HOST.config: system.build.toplevel,
# age.{secrets,identityPaths,ageBin,secretsDir,secretsMountPoint}, systemd.services, networking.hostName.
{
  outputs = { self }:
    let
      hosts = builtins.fromJSON (builtins.readFile ./hosts.json);
      mkHost = import ./lib/host.nix { root = ./.; rev = self.rev or "dirty"; };
    in
    {
      nixosConfigurations = builtins.mapAttrs (name: host: { config = mkHost name host; }) hosts;
    };
}
