"""The one door and the one answer to "may this role do it?"."""

from allauth.account.auth_backends import AuthenticationBackend

from .permissions import permissions_of


class RoleBackend(AuthenticationBackend):
    """Signs people in by email address, and answers ``has_perm`` from the role table."""

    def get_all_permissions(self, user_obj, obj=None):
        return permissions_of(user_obj)

    get_user_permissions = get_group_permissions = get_all_permissions

    def has_perm(self, user_obj, perm, obj=None):
        return perm in permissions_of(user_obj)

    def has_module_perms(self, user_obj, app_label):
        return any(perm.startswith(f"{app_label}.") for perm in permissions_of(user_obj))
