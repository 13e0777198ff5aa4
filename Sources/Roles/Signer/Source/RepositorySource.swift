package import Upstreams

/// Where the branches of a repository come from.
package enum RepositorySource: Sendable, Hashable {
  /// A repository of this machine, which others push to.
  case local(path: String)
  /// One of a code host, of which we have a mirror.
  case upstream(Mirror.Place)

  /// Of the repository that is read: the mirror, where there is an upstream.
  package var path: String {
    switch self {
    case .local(let path): path
    case .upstream(let place): place.path
    }
  }

  package var isUpstream: Bool { if case .upstream = self { true } else { false } }

  /// Whether there is something to read: a mirror may not have been made yet.
  package var isReadable: Bool {
    if case .upstream(let place) = self { place.isThere } else { true }
  }

  /// As the configuration names it.
  package var text: String {
    switch self {
    case .local(let path): path
    case .upstream(let place): place.settings.url.text
    }
  }
}
