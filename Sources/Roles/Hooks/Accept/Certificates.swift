import Diagnostics
import Host
import Logging
package import MessageFormat
import NIOSSL
import Synchronization

/// The certificate and its key as the files have them now. One that cannot be used does not take the place of the old one.
package final class Certificates: Sendable {
  private static let fileByteCountMax = 1 << 20
  /// Read by others than the group, as ssl-cert of Debian, a key is no secret.
  private static let forbiddenMode: UInt32 = 0o007

  private struct State {
    var context: NIOSSLContext
    var versions: [FileVersion?]
  }

  private let files: HookSettings.TLS
  private let state: Mutex<State>

  init(_ files: HookSettings.TLS) throws(HookFault) {
    self.files = files
    let versions = Self.versions(of: files)
    state = Mutex(State(context: try Self.load(files).context, versions: versions))
  }

  /// For a new connection.
  var context: NIOSSLContext { state.withLock { $0.context } }

  /// Reads the files if they have changed.
  func refresh(_ log: Logger) {
    let versions = Self.versions(of: files)
    guard versions != state.withLock({ $0.versions }) else { return }
    do throws(HookFault) {
      let context = try Self.load(files).context
      state.withLock { $0 = State(context: context, versions: versions) }
      log.report(.certificateLoaded, ["file": "\(files.certificate)"])
    } catch {
      // Said once for each change.
      state.withLock { $0.versions = versions }
      log.report(
        .certificateRejected,
        [
          "error": "\(error.message)", "code": "\(error.code.rawValue)",
          "hint": "\(error.hint ?? "")",
        ])
    }
  }

  /// When the certificate expires; throws where it cannot be used.
  package static func expiry(of files: HookSettings.TLS) throws(HookFault) -> Timestamp {
    Timestamp(milliseconds: UInt64(max(0, try load(files).expiry)) * 1_000)
  }

  private static func versions(of files: HookSettings.TLS) -> [FileVersion?] {
    [files.certificate, files.key].map { FileVersion.of($0) }
  }

  private static func load(
    _ files: HookSettings.TLS
  ) throws(HookFault) -> (context: NIOSSLContext, expiry: Int) {
    let certificate = try read(files.certificate)
    let key = try read(files.key)
    guard key.mode & forbiddenMode == 0 else {
      throw .secretRights(files.key, mode: key.mode)
    }
    do {
      let chain = try NIOSSLCertificate.fromPEMBytes(certificate.bytes)
      guard let leaf = chain.first else {
        throw HookFault.certificate(files.certificate, reason: "there is none in the file")
      }
      var configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: chain.map { .certificate($0) },
        privateKey: .privateKey(try NIOSSLPrivateKey(bytes: key.bytes, format: .pem)))
      configuration.minimumTLSVersion = .tlsv12
      configuration.applicationProtocols = ["http/1.1"]
      return (try NIOSSLContext(configuration: configuration), Int(leaf.notValidAfter))
    } catch let error as HookFault {
      throw error
    } catch {
      throw .certificate(files.certificate, reason: "\(error)")
    }
  }

  private static func read(_ path: String) throws(HookFault) -> PrivateFile {
    do throws(HostError) {
      return try PrivateFile(path, byteCountMax: fileByteCountMax)
    } catch {
      throw .certificate(path, reason: error.description)
    }
  }
}
