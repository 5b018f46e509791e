# Boatswain on every node of a Nomad cluster that has the Docker driver: nomad job run boatswain.nomad.hcl. docs/operate/nomad.md.
#
# Clients need, in the Docker plugin's configuration: volumes { enabled = true } and allow_caps with DAC_READ_SEARCH added.
job "boatswain" {
  datacenters = ["*"]
  type        = "system"
  priority    = 90

  update {
    max_parallel      = 1
    health_check      = "checks"
    min_healthy_time  = "10s"
    healthy_deadline  = "5m"
    progress_deadline = "10m"
  }

  group "boatswain" {
    constraint {
      attribute = "${attr.driver.docker}"
      value     = "1"
    }

    network {
      mode = "host"
      port "health" {
        static = 9434
      }
      port "metrics" {
        static = 9435
      }
    }

    service {
      name     = "boatswain"
      port     = "health"
      provider = "nomad"

      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "10s"
        timeout  = "5s"
      }
    }

    restart {
      attempts = 10
      interval = "10m"
      delay    = "15s"
      mode     = "delay"
    }

    # The guard alone sees the engine's socket.
    task "guard" {
      driver = "docker"
      user   = "0:10350"

      lifecycle {
        hook    = "prestart"
        sidecar = true
      }

      config {
        image           = "registry.example/boatswain:0.1.0"
        command         = "boatswaind"
        args            = ["guard"]
        network_mode    = "none"
        cap_drop        = ["all"]
        readonly_rootfs = true
        ulimit {
          core = "0"
        }
        security_opt    = ["no-new-privileges"]
        volumes = [
          # The directory, not the socket's file: an engine that is started again makes another file.
          "/run:/host/run:ro",
          "/run/boatswain:/run/boatswain",
        ]
      }

      env {
        BOATSWAIN_GUARD_ENGINE    = "unix:///host/run/docker.sock"
        BOATSWAIN_GUARD_LISTEN    = "unix:/run/boatswain/engine.sock"
        BOATSWAIN_GUARD_ALLOW_UID = "10350"
        BOATSWAIN_GUARD_REDACT    = "environment"
        BOATSWAIN_TENANCY_TENANT  = "label:boatswain.tenant,env:BOATSWAIN_TENANT,nomad"
        BOATSWAIN_TENANCY_APP     = "nomad,name"
        BOATSWAIN_TENANCY_COMPONENT = "nomad"
        BOATSWAIN_TENANCY_INSTANCE  = "nomad"
      }

      resources {
        cpu    = 50
        memory = 64
      }
    }

    task "agent" {
      driver       = "docker"
      user         = "10350:10350"
      kill_timeout = "60s"

      config {
        image           = "registry.example/boatswain:0.1.0"
        command         = "boatswaind"
        args            = ["agent"]
        network_mode    = "host"
        cap_drop        = ["all"]
        cap_add         = ["dac_read_search"]
        readonly_rootfs = true
        ulimit {
          core = "0"
        }
        volumes = [
          "/run/boatswain:/run/boatswain:ro",
          "/var/lib/docker/containers:/var/lib/docker/containers:ro",
          "/etc/boatswain:/etc/boatswain:ro",
          "/var/lib/boatswain:/var/lib/boatswain",
        ]
      }

      env {
        BOATSWAIN_HOST              = "${node.unique.name}"
        BOATSWAIN_ENGINE_SOCKET     = "unix:///run/boatswain/engine.sock"
        BOATSWAIN_STORE_URL         = "s3://logs/production?region=eu-central-1"
        BOATSWAIN_TENANCY_TENANT    = "label:boatswain.tenant,env:BOATSWAIN_TENANT,nomad"
        BOATSWAIN_TENANCY_APP       = "nomad,name"
        BOATSWAIN_TENANCY_COMPONENT = "nomad"
        BOATSWAIN_TENANCY_INSTANCE  = "nomad"
        BOATSWAIN_TENANCY_KEYRING   = "/etc/boatswain/keys"
        BOATSWAIN_DOCKER_ROOT       = "/var/lib/docker"
        # Health names nobody, and is for Nomad's check; metrics name tenants, and are for a scraper on this host.
        BOATSWAIN_HEALTH_LISTEN     = "${NOMAD_IP_health}:9434"
        BOATSWAIN_LISTEN            = "127.0.0.1:9435"
        BOATSWAIN_SHUTDOWN_TIMEOUT  = "50s"
        BOATSWAIN_LOG_FORMAT        = "json"
        AWS_SHARED_CREDENTIALS_FILE = "/etc/boatswain/aws-credentials"
      }

      resources {
        cpu    = 200
        memory = 256
      }
    }
  }
}
