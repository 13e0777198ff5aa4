import Host
import Signer

/// The socket where a signer's daemon takes requests to send: whether it listens, and which programs may ask.
struct SocketChecks {
  /// A daemon that has room for us says so at once.
  private static let timeout: Duration = .seconds(5)

  let socket: SignerSocket
  let state: String

  func run(_ examination: inout Examination) {
    do {
      _ = try LocalSocket(connectingTo: socket.path, by: .now + Self.timeout)
      try checkRights(&examination)
    } catch let error as HostError where error.isMissing {
      checkPlace(&examination)
    } catch let error as HostError where error.isDenied {
      examination.fail(
        .socket, socket.path, "does not let us ask",
        do: "join the group that 'socket:' names, then log in again")
    } catch let error as HostError where error.isTimeout {
      examination.fail(
        .socket, socket.path, "a daemon listens and does not answer",
        do: "systemctl status distro-serve; restart it if it hangs")
    } catch {
      examination.fail(.socket, socket.path, error)
    }
  }

  private func checkRights(_ examination: inout Examination) throws {
    guard let rights = try FileRights.of(socket.path) else { return checkPlace(&examination) }
    let mode = "mode 0\(String(rights.mode, radix: 8))"
    guard rights.mode & 0o666 == socket.mode, rights.group == socket.group ?? rights.group else {
      return examination.warn(
        .socket, socket.path, "has \(mode) and group \(rights.group), not what 'socket:' says",
        do: "reload the daemon: systemctl reload distro-serve")
    }
    guard socket.mode & 0o002 == 0 else {
      return examination.warn(
        .socket, socket.path, "every user of this machine can ask the daemon to send",
        do: "socket: {group: …, mode: 0660}")
    }
    let users =
      socket.mode & 0o020 == 0
      ? "its own user" : "its own user and group \(rights.group)"
    examination.ok(.socket, socket.path, "a daemon listens; \(users) can ask it to send (\(mode))")
  }

  /// Without a daemon, `sign-and-send` does the work itself.
  private func checkPlace(_ examination: inout Examination) {
    do {
      let directory = socket.path.split(separator: "/").dropLast().joined(separator: "/")
      guard let rights = try FileRights.of("/" + directory) else {
        // The daemon makes its state directory, and no other.
        guard !socket.path.hasPrefix(state + "/") else { return sayNoDaemon(&examination) }
        return examination.warn(
          .socket, socket.path, "its directory is not there, so that no daemon can listen",
          do:
            "in the unit: RuntimeDirectory=; elsewhere: make it, for the daemon's user alone to write"
        )
      }
      guard rights.mode & 0o002 == 0 else {
        return examination.fail(
          .socket, socket.path, "every user of this machine can write to its directory",
          do: "chmod o-w /\(directory), or name a place in a directory of the daemon's")
      }
      sayNoDaemon(&examination)
    } catch {
      examination.fail(.socket, socket.path, error)
    }
  }

  private func sayNoDaemon(_ examination: inout Examination) {
    examination.ok(
      .socket, socket.path, "no daemon listens; sign-and-send needs --config, and works on its own")
  }
}
