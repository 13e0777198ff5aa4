import Foundation
import Sodium

/// One configuration file, and everything that it names.
struct ConfigurationChecks {
  let path: String

  func run(_ examination: inout Examination) {
    let file: ConfigurationFile
    do {
      file = try ConfigurationFile(path)
    } catch {
      return examination.fail(.configuration, path, error)
    }
    let kind = ConfigurationKind(file)
    if kind != .serve { checkOwnFiles(of: file, &examination) }
    switch kind {
    case .signer:
      guard let settings = read({ try SignerConfiguration.read(path) }, &examination) else {
        return
      }
      SignerChecks(settings: settings).run(&examination)
    case .applier:
      guard let configuration = read({ try ApplierConfiguration.read(path) }, &examination) else {
        return
      }
      ApplierChecks(configuration: configuration).run(&examination)
    case .relay:
      guard let configuration = read({ try RelayConfiguration.read(path) }, &examination) else {
        return
      }
      RelayChecks(settings: configuration.settings).run(&examination)
    case .serve:
      guard let roles = read({ try ServeConfiguration(file) }, &examination) else { return }
      for (_, path) in roles.files { ConfigurationChecks(path: path).run(&examination) }
    }
  }

  private func read<Configuration>(
    _ body: () throws -> Configuration, _ examination: inout Examination
  ) -> Configuration? {
    do {
      let configuration = try body()
      examination.ok(.configuration, path, "can be taken")
      return configuration
    } catch {
      examination.fail(.configuration, path, error)
      return nil
    }
  }

  /// Before the rest of the file is looked at, which may be wrong as well.
  private func checkOwnFiles(of file: ConfigurationFile, _ examination: inout Examination) {
    if let node = file.root.value(of: "identity") {
      do {
        KeyChecks(
          path: try file.path(node),
          hasPassphraseFile: file.root.value(of: "passphrase-file") != nil
        ).run(&examination)
      } catch {
        examination.fail(.configuration, path, error)
      }
    }
    if let node = file.root.value(of: "state") {
      do {
        PlaceChecks(area: .state, path: try file.path(node)).checkState(&examination)
      } catch {
        examination.fail(.configuration, path, error)
      }
    }
  }
}
