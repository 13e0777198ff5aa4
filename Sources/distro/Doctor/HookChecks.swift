import Foundation
import Hooks
import Host
import Mailboxes

/// What a role `hooks` needs: secrets of its own, an address, a certificate that lasts, and a signer to tell.
struct HookChecks {
  /// A daemon that has room for us says so at once.
  private static let timeout: Duration = .seconds(5)
  private static let expirySecondsLow = 14 * 86_400

  let settings: HookSettings

  func run(_ examination: inout Examination) {
    for hook in settings.hooks { check(hook, &examination) }
    checkCertificate(&examination)
    checkAddress(&examination)
    checkSigner(&examination)
  }

  private func check(_ hook: HookSettings.Hook, _ examination: inout Examination) {
    if hook.secretFiles.isEmpty {
      examination.warn(
        .key, hook.path, "takes requests of anyone: 'insecure: true'",
        do: "make a secret (openssl rand -hex 32), and name its file in 'secret-files:'")
    }
    for path in hook.secretFiles {
      do {
        let count = try HookSecretCheck.byteCount(of: path, for: hook.host)
        if count < HookLimits.secretByteCountWeak {
          examination.warn(
            .key, path, "has \(count) bytes, which can be guessed",
            do: "openssl rand -hex 32 > \(path), and give the same to the code host")
        } else {
          examination.ok(.key, path, "is a secret of \(hook.path), and ours alone")
        }
      } catch {
        examination.fail(.key, path, error)
      }
    }
  }

  private func checkCertificate(_ examination: inout Examination) {
    guard let tls = settings.tls else { return checkPlainText(&examination) }
    do {
      let expiry = Int(try Certificates.expiry(of: tls).milliseconds / 1_000)
      let left = expiry - Int(Date().timeIntervalSince1970)
      if left <= 0 {
        examination.fail(
          .carrier, tls.certificate, "has expired: code hosts refuse it",
          do: "renew it; the role reads the new files by itself")
      } else if left < Self.expirySecondsLow {
        examination.warn(
          .carrier, tls.certificate, "expires in \(left / 86_400) days",
          do: "renew it; the role reads the new files by itself")
      } else {
        examination.ok(.carrier, tls.certificate, "is valid for \(left / 86_400) days")
      }
    } catch {
      examination.fail(.carrier, tls.certificate, error)
    }
  }

  /// Signatures protect what is sent, and GitLab's plain token is sent as it is.
  private func checkPlainText(_ examination: inout Examination) {
    guard case .address(let host, _) = settings.listen,
      !["127.", "::1", "localhost"].contains(where: host.hasPrefix)
    else { return }
    examination.warn(
      .carrier, settings.listen.text, "takes requests without TLS from other machines",
      do: "set 'tls:', or listen on 127.0.0.1 behind a proxy that has a certificate")
  }

  /// A role that runs has the state, and listens there itself.
  private func checkAddress(_ examination: inout Examination) {
    do throws(HookFault) {
      try RunningHooks.requireFree(settings.listen)
      examination.ok(.carrier, settings.listen.text, "is free")
    } catch {
      guard case .addressInUse = error, isRunning else {
        return examination.fail(.carrier, settings.listen.text, error)
      }
      examination.ok(.carrier, settings.listen.text, "the role runs, and listens there")
    }
  }

  private var isRunning: Bool {
    do { return try StateDatabase.isClaimed(in: settings.state) } catch { return false }
  }

  private func checkSigner(_ examination: inout Examination) {
    do throws(HostError) {
      _ = try LocalSocket(connectingTo: settings.signer, by: .now + Self.timeout)
      examination.ok(.socket, settings.signer, "a signer listens")
    } catch  where error.isMissing {
      examination.warn(
        .socket, settings.signer, "no signer listens: pushes wait until one does",
        do: "start `distro serve` with a signer that has 'socket:', or correct 'signer:'")
    } catch  where error.isDenied {
      examination.fail(
        .socket, settings.signer, "does not let us in",
        do: "the user of this role must be in the group that the signer's 'socket:' names")
    } catch {
      examination.fail(.socket, settings.signer, error)
    }
  }
}
