import Foundation

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
    guard let role = Role.of(file) else {
      do {
        for configured in try ServeConfiguration(file).roles {
          ConfigurationChecks(path: configured.path).run(&examination)
        }
      } catch {
        examination.fail(.configuration, path, error)
      }
      return
    }
    checkOwnFiles(of: file, role, &examination)
    do {
      try role.examine(path, &examination)
    } catch {
      examination.fail(.configuration, path, error)
    }
  }

  /// Before the rest of the file is looked at, which may be wrong as well.
  private func checkOwnFiles(
    of file: ConfigurationFile, _ role: Role, _ examination: inout Examination
  ) {
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
        let directory = try file.path(node)
        PlaceChecks(area: .state, path: directory).checkState(&examination)
        StateChecks(directory: directory, role: role).run(&examination)
      } catch {
        examination.fail(.configuration, path, error)
      }
    }
  }
}
