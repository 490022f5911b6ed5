# One host: its description (an attribute set from hosts.json) to NixOS's `config`.
{ root, rev }:
name: host:
let
  inherit (builtins)
    attrNames attrValues concatStringsSep elem filter isBool isList listToAttrs map mapAttrs replaceStrings
    substring stringLength toFile toString;

  # --- age.*, with agenix's names and defaults ---
  ageIn = host.age or { };
  age = {
    ageBin = ageIn.ageBin or "/opt/lab/age/bin/age";
    identityPaths = ageIn.identityPaths or [ "/etc/ssh/ssh_host_ed25519_key" ];
    secretsDir = ageIn.secretsDir or "/run/agenix";
    secretsMountPoint = ageIn.secretsMountPoint or "/run/agenix.d";
    secrets = mapAttrs
      (attr: s: rec {
        name = s.name or attr;
        file = root + "/${s.file or "secrets/${attr}.age"}";
        path = s.path or "${age.secretsDir}/${name}";
        mode = s.mode or "0400";
        owner = s.owner or "0";
        group = s.group or (if owner == "0" then "0" else owner);
        symlink = s.symlink or true;
        # Not agenix's: what sops-nix has, for hosts whose activation asks for restarts.
        restartUnits = s.restartUnits or [ ];
        reloadUnits = s.reloadUnits or [ ];
      })
      (host.secrets or { });
  };
  secretNames = attrNames age.secrets;

  # `@…@` in any text of a service, unit or snippet. Interpolating a path copies that one file to a
  # store path of its own, as agenix's module does: an old generation keeps its old ciphertext.
  substitute = replaceStrings
    (map (n: "@file:${n}@") secretNames
      ++ map (n: "@path:${n}@") secretNames
      ++ map (n: "@script:${n}@") (attrNames (host.scripts or { })))
    (map (n: "${age.secrets.${n}.file}") secretNames
      ++ map (n: age.secrets.${n}.path) secretNames
      ++ map (n: toFile n host.scripts.${n}) (attrNames (host.scripts or { })));

  # --- systemd.services ---
  text = v: if isBool v then (if v then "true" else "false") else substitute (toString v);
  lines = key: v: if isList v then map (x: "${key}=${text x}") v else [ "${key}=${text v}" ];
  section = title: set:
    let body = builtins.concatLists (attrValues (mapAttrs lines set)); in
    if body == [ ] then [ ] else [ "[${title}]" ] ++ body;
  list = key: xs: if xs == [ ] then { } else { ${key} = concatStringsSep " " xs; };

  services = host.services or { } // (if host ? postgresql then { postgresql = postgresql; } else { });
  serviceText = s:
    concatStringsSep "\n" (
      section "Unit" ({ Description = s.description or "lab service"; }
        // list "After" (s.after or [ ])
        // list "Requires" (s.requires or [ ])
        // list "X-Restart-Triggers" (s.restartTriggers or [ ])
        // list "X-Reload-Triggers" (s.reloadTriggers or [ ])
        // (s.unitConfig or { }))
      ++ section "Service" (
        # A NixOS service finds coreutils and the like; its transient units do not.
        { Environment = [ "PATH=/opt/lab/sw/bin" ] ++ map (k: "${k}=${s.environment.${k}}") (attrNames (s.environment or { })); }
        // (if s ? restartIfChanged then { X-RestartIfChanged = s.restartIfChanged; } else { })
        // (if s ? reloadIfChanged then { X-ReloadIfChanged = s.reloadIfChanged; } else { })
        // (if s ? stopIfChanged then { X-StopIfChanged = s.stopIfChanged; } else { })
        // (s.serviceConfig or { }))
    ) + "\n";

  # PostgreSQL as NixOS runs it: first start makes the cluster, the client tools lie beside the server.
  pg = host.postgresql;
  pgDir = "/var/lib/postgresql/17/lab";
  pgBin = "/usr/lib/postgresql/17/bin";
  pgSettings = { listen_addresses = "*"; unix_socket_directories = "/run/postgresql"; hba_file = "${pgHba}"; }
    // (pg.settings or { });
  pgHba = toFile "pg_hba.conf" (pg.authentication or ''
    local all all peer
    host all all 127.0.0.1/32 scram-sha-256
    host all all 10.77.0.0/16 scram-sha-256
  '');
  quote = v: "'" + replaceStrings [ "'" ] [ "''" ] (if isBool v then (if v then "on" else "off") else toString v) + "'";
  pgConf = toFile "postgresql.conf"
    (concatStringsSep "" (map (k: "${k} = ${quote pgSettings.${k}}\n") (attrNames pgSettings)));
  pgInit = toFile "postgresql-init.sql" (pg.initialScript or "");
  postgresql = {
    description = "PostgreSQL server";
    wantedBy = [ "multi-user.target" ];
    after = [ "network.target" ];
    restartTriggers = pg.restartTriggers or [ ];
    serviceConfig = {
      User = "postgres";
      Group = "postgres";
      Type = "notify";
      RuntimeDirectory = "postgresql";
      StateDirectory = "postgresql";
      ExecStartPre = "/bin/sh ${toFile "postgresql-pre-start" ''
        set -e
        if [ ! -e ${pgDir}/PG_VERSION ]; then
          mkdir -p ${pgDir}
          ${pgBin}/initdb --no-sync --auth=peer -D ${pgDir}
          touch ${pgDir}/.first_startup
        fi
        ln -sfn ${pgConf} ${pgDir}/postgresql.conf
      ''}";
      ExecStart = "${pgBin}/postgres -D ${pgDir}";
      ExecStartPost = "/bin/sh ${toFile "postgresql-post-start" ''
        set -e
        if [ -e ${pgDir}/.first_startup ]; then
          ${pgBin}/psql -v ON_ERROR_STOP=1 -qX -f ${pgInit} postgres
          rm ${pgDir}/.first_startup
        fi
        PSQL="${pgBin}/psql -v ON_ERROR_STOP=1 -qX postgres"
        ${substitute (pg.postStart or "")}
      ''}";
      ExecReload = "/opt/lab/sw/bin/kill -HUP $MAINPID";
      KillSignal = "SIGINT";
      KillMode = "mixed";
      TimeoutStartSec = "60";
    };
  };

  # --- the toplevel ---
  units = mapAttrs (_: substitute) (host.units or { })
    // listToAttrs (map (n: { name = "${n}.service"; value = serviceText services.${n}; }) (attrNames services));
  wanted = filter (n: elem "multi-user.target" (services.${n}.wantedBy or [ ])) (attrNames services);
  wantedUnits = map (n: "${n}.service") wanted
    ++ filter (u: builtins.match ".*\nWantedBy=multi-user.target(\n.*)?" units.${u} != null) (attrNames (host.units or { }));
  etc = host.etc or { };

  row = s: concatStringsSep "\t" [
    s.name "${s.file}" s.path s.mode s.owner s.group
    (if s.symlink then "1" else "0")
    (concatStringsSep "," s.restartUnits + ";" + concatStringsSep "," s.reloadUnits)
  ];

  toplevel = derivation {
    name = "nixos-system-${name}-${host.label or "1"}";
    system = "x86_64-linux";
    builder = "/bin/sh";
    args = [ ./build.sh ];
    PATH = "/usr/bin:/bin";
    label = host.label or "1";
    # Like a fleet that sets system.configurationRevision = self.rev: its closure changes with each commit.
    revision = if host.configurationRevision or false then rev else "";
    inherit (age) ageBin secretsDir secretsMountPoint;
    identities = concatStringsSep " " age.identityPaths;
    secretRows = concatStringsSep "\n" (map row (attrValues age.secrets));
    unitNames = attrNames units;
    unitFiles = map (n: toFile n units.${n}) (attrNames units);
    wantedUnits = wantedUnits;
    etcNames = attrNames etc;
    etcFiles = map (n: toFile "etc-file" (substitute etc.${n})) (attrNames etc);
    activateExtra = substitute (host.activate or "");
    dryActivateExtra = substitute (host.dryActivate or "");
    knobs = concatStringsSep "\n" (attrValues (mapAttrs (k: v: "${k}=${text v}") (host.knobs or { })));
    initInterface = host.initInterfaceVersion or "systemd 1";
    activate = ./activate.sh;
    dryActivate = ./dry-activate.sh;
    secretsLib = ./secrets.sh;
    switch = ./switch-to-configuration.sh;
  };
in
{
  inherit age;
  networking.hostName = name;
  system = {
    build.toplevel = toplevel;
    nixos.label = host.label or "1";
    configurationRevision = if host.configurationRevision or false then rev else null;
  };
  systemd.services = mapAttrs
    (_: s: {
      description = s.description or "lab service";
      wantedBy = s.wantedBy or [ ];
      after = s.after or [ ];
      requires = s.requires or [ ];
      restartTriggers = map substitute (s.restartTriggers or [ ]);
      reloadTriggers = map substitute (s.reloadTriggers or [ ]);
      serviceConfig = mapAttrs (_: v: if isList v then map text v else text v) (s.serviceConfig or { });
    })
    services;
}
