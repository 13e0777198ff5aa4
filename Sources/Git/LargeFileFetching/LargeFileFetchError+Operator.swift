package import Diagnostics
import LargeFiles
import Upstreams
import WebClient

extension LargeFileFetchError: OperatorError {
  package var description: String {
    switch self {
    case .placeElsewhere(let url, let named):
      "'.lfsconfig' names \(named) as the LFS server, which is another place than \(url)"
    case .serverMissing(let place, let status):
      "\(place): no LFS server answers there (HTTP \(status))"
    case .notOffered(let url, let detail): "\(url): offers no Git LFS by ssh: \(detail)"
    case .rejected(let place, let status, let said):
      "\(place): answers with HTTP \(status)\(Self.quoted(said))"
    case .busy(let place, let seconds): "\(place): asks us to come again in \(seconds) s"
    case .object(_, let host, let status, let said):
      "\(host): does not give it: \(status)\(Self.quoted(said))"
    case .otherContent(_, let host): "\(host): sent something else under its name"
    case .invalid(let place, let reason): "\(place): \(reason)"
    case .missing(_, let directory): "the upstream does not have it in \(directory)"
    case .proxyUnsupported(let proxy): "\(proxy): large files cannot be fetched through it"
    case .upstream(let error): error.description
    case .web(let error): error.description
    case .store(let error): error.description
    case .stopped: "the fetch was stopped"
    }
  }

  private static func quoted(_ said: String) -> String { said.isEmpty ? "" : ": \(said)" }

  package var code: ErrorCode {
    switch self {
    case .placeElsewhere, .proxyUnsupported: .configuration
    case .serverMissing, .notOffered: .upstreamMissing
    case .rejected(_, let status, _): status >= 500 ? .upstreamUnreachable : .upstreamFault
    case .busy, .stopped: .upstreamUnreachable
    case .object(_, _, let status, _):
      [404, 410, 422].contains(status) ? .largeFileMissing : .upstreamFault
    case .otherContent: .largeFileDamaged
    case .invalid: .upstreamFault
    case .missing: .largeFileMissing
    case .upstream(let error): error.code
    case .web(let error): error.code
    case .store(let error): error.code
    }
  }

  package var exit: ExitStatus { .fault }

  package var hint: String? {
    switch self {
    case .placeElsewhere:
      "if it is meant, name it with 'lfs-url:': what a commit alone names is sent no token"
    case .serverMissing:
      "is Git LFS switched on for the repository? 'lfs-url:' names another server"
    case .notOffered: "use https with 'token-file:', or name the server with 'lfs-url:'"
    case .rejected(_, let status, _):
      status >= 500 ? "nothing is lost, it is tried again" : nil
    case .busy: "nothing is lost, it is tried again"
    case .object(_, _, let status, _) where [404, 410, 422].contains(status):
      "have it pushed by someone who has it: `git lfs push --all REMOTE`"
    case .object: "nothing is lost, it is tried again"
    case .otherContent:
      "`git lfs fsck` in a clone; have it pushed again: `git lfs push --all REMOTE`"
    case .missing:
      "`git lfs push --all REMOTE` from a clone that has it; 'lfs-url:' names a server that does"
    case .proxyUnsupported: "name an http:// or socks5:// proxy"
    case .upstream(let error): error.hint
    case .web(let error): error.hint
    case .store(let error): error.hint
    case .invalid, .stopped: nil
    }
  }
}
