import Diagnostics
import Host
import Logging
import Synchronization

/// The hooks that there are, with their secrets as the files have them now.
final class HookTable: Sendable {
  struct Entry: Sendable {
    let hook: HookSettings.Hook
    let remote: RepositoryAddress
    fileprivate(set) var files: [SecretFile]

    /// Empty only where the configuration says `insecure: true`: a file that was taken away leaves none, and then nothing
    /// is verified.
    var secrets: [HookSecret] { files.compactMap(\.secret) }

    var isOpen: Bool { files.isEmpty }
  }

  private let entries: Mutex<[String: Entry]>

  /// Throws where a secret cannot be used.
  init(_ hooks: [HookSettings.Hook]) throws(HookFault) {
    entries = Mutex(try Self.read(hooks))
  }

  subscript(path: String) -> Entry? { entries.withLock { $0[path] } }

  /// These from now on; throws, and changes nothing, where a secret cannot be used.
  func adopt(_ hooks: [HookSettings.Hook]) throws(HookFault) {
    let read = try Self.read(hooks)
    entries.withLock { $0 = read }
  }

  private static func read(_ hooks: [HookSettings.Hook]) throws(HookFault) -> [String: Entry] {
    var entries: [String: Entry] = [:]
    for hook in hooks {
      var files: [SecretFile] = []
      for path in hook.secretFiles { files.append(try SecretFile(path, for: hook.host)) }
      entries[hook.path] = Entry(
        hook: hook, remote: RepositoryAddress(hook.remote.text), files: files)
    }
    return entries
  }

  /// Reads the files that have changed. One that is gone, or that others can read, is no secret any more.
  func refresh(_ log: Logger) {
    for var entry in entries.withLock({ Array($0.values) }) {
      var hasChanged = false
      for index in entry.files.indices {
        switch entry.files[index].refresh(for: entry.hook.host) {
        case .same: continue
        case .loaded:
          log.report(
            .hookSecretLoaded,
            ["hook": "\(entry.hook.path)", "file": "\(entry.files[index].path)"])
        case .rejected(let fault):
          log.report(
            .hookSecretRejected,
            [
              "hook": "\(entry.hook.path)", "error": "\(fault.message)",
              "code": "\(fault.code.rawValue)", "hint": "\(fault.hint ?? "")",
            ])
        }
        hasChanged = true
      }
      guard hasChanged else { continue }
      // Another table may have been adopted meanwhile.
      entries.withLock { entries in
        guard entries[entry.hook.path]?.hook.secretFiles == entry.hook.secretFiles else { return }
        entries[entry.hook.path]?.files = entry.files
      }
    }
  }
}

/// A file with one secret, and what was read of it.
struct SecretFile: Sendable {
  enum Change {
    case same, loaded
    case rejected(HookFault)
  }

  let path: String
  private(set) var secret: HookSecret?
  private var version: FileVersion?

  init(_ path: String, for host: HookHost) throws(HookFault) {
    self.path = path
    (secret, version) = try Self.read(path, for: host)
  }

  mutating func refresh(for host: HookHost) -> Change {
    let current = FileVersion.of(path)
    guard current != version else { return .same }
    do throws(HookFault) {
      (secret, version) = try Self.read(path, for: host)
      return .loaded
    } catch {
      (secret, version) = (nil, current)
      return .rejected(error)
    }
  }

  private static func read(
    _ path: String, for host: HookHost
  ) throws(HookFault) -> (HookSecret, FileVersion) {
    let file: PrivateFile
    do throws(HostError) {
      file = try PrivateFile(path, byteCountMax: HookLimits.secretByteCountMax)
    } catch {
      throw .secretUnreadable(error)
    }
    guard !file.isReadByOthers else { throw .secretRights(path, mode: file.mode) }
    guard let secret = HookSecret(file.bytes, for: host) else { throw .secretInvalid(path) }
    return (secret, file.version)
  }
}

/// For `doctor`.
package enum HookSecretCheck {
  /// How many bytes the secret of a file has; throws where it cannot be used.
  package static func byteCount(of path: String, for host: HookHost) throws(HookFault) -> Int {
    try SecretFile(path, for: host).secret?.byteCount ?? 0
  }
}
